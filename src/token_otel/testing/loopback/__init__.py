"""Providers on 127.0.0.1 that the real clients talk to: they answer from a script, bill as providers do, and keep every bill.

with LoopbackOpenAI(answers={"gpt-5": [Answer("hello")]}) as server:
    ChatOpenAI(model="gpt-5", base_url=server.base_url, api_key="x", stream_usage=True).invoke("hi")
    [bill] = server.bills
"""

from token_otel.testing.loopback.answers import Answer, Request, ToolCall
from token_otel.testing.loopback.anthropic import LoopbackAnthropic
from token_otel.testing.loopback.bills import Bill, PieceTruth, Rates
from token_otel.testing.loopback.openai import LoopbackOpenAI

__all__ = ["Answer", "Bill", "LoopbackAnthropic", "LoopbackOpenAI", "PieceTruth", "Rates", "Request", "ToolCall"]

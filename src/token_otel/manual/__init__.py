"""Your own loop: blocks that are agents, model calls, tools and retrievals, and what the SDKs of providers say."""

from token_otel.manual.blocks import Agent, Retrieval, Step, Tool, agent, handoff, retrieval, step, tool
from token_otel.manual.calls import ModelCall, model

__all__ = ["Agent", "ModelCall", "Retrieval", "Step", "Tool", "agent", "handoff", "model", "retrieval", "step", "tool"]

"""A program: some turns of the demo's team in one process, `OPENAI_URL ANTHROPIC_URL HISTORY FIRST|SECOND|FIRST,SECOND`.

It begins with the messages in HISTORY, where there are any, and leaves there what has been said in the end.
"""

# LangGraph's and LangChain's own annotations leave types unknown.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingImports=false

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

from opentelemetry import trace

import token_otel

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "research_team"))


def main(openai: str, anthropic: str, history: str, turns: str) -> None:
    token_otel.init()
    import script
    from langchain_anthropic import ChatAnthropic
    from langchain_openai import ChatOpenAI
    from team import build_team

    there: dict[str, Any] = {"base_url": openai, "api_key": "offline", "max_retries": 0, "stream_usage": True}
    researcher: Any = ChatAnthropic(model_name="claude-haiku-4-5", base_url=anthropic, api_key="offline", max_retries=0)  # pyright: ignore[reportCallIssue]
    models = {name: ChatOpenAI(model=model, **there) for name, model in MODELS.items()}
    team: Any = build_team(researcher=researcher, **models)
    thread: Any = {"configurable": {"thread_id": "council-brief"}}
    said: list[Any] = pickle.loads(Path(history).read_bytes()) if Path(history).exists() else []
    for turn in turns.split(","):
        team.invoke({"messages": [*said, ("user", getattr(script, turn))]}, thread)
        said = []
    Path(history).write_bytes(pickle.dumps(team.get_state(thread).values["messages"]))
    provider: Any = trace.get_tracer_provider()
    provider.force_flush()


MODELS = {"supervisor": "gpt-5-mini", "writer": "gpt-5", "critic": "gpt-4.1-mini"}

if __name__ == "__main__":
    main(*sys.argv[1:])

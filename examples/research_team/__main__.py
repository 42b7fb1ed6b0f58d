"""A team of agents at work, and the account of its tokens: `make demo`, or `--live` with the keys of real providers.

Offline, the real clients of OpenAI and Anthropic talk to providers on this machine, which reply from a script and bill as
the real ones do. The spans go to token-otel.jsonl (TOKEN_OTEL_FILE), and to OTEL_EXPORTER_OTLP_ENDPOINT where that is set;
all tables are read back from that file.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import token_otel
from token_otel import report
from token_otel.testing.loopback import Bill, LoopbackAnthropic, LoopbackOpenAI


def main() -> int:
    parser = argparse.ArgumentParser(prog="research_team", description="A team of agents at work, and the account of its tokens.")
    parser.add_argument("--live", action="store_true", help="use the real providers: OPENAI_API_KEY and ANTHROPIC_API_KEY")
    live: bool = parser.parse_args().live
    missing = [key for key in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY") if live and not os.environ.get(key)]
    if missing:
        return _refuse(f"--live needs {' and '.join(missing)} to be set")
    os.environ.setdefault("TOKEN_OTEL_WORKER", "inline")  # so that the offline demo gives the same numbers every time
    try:
        settings = token_otel.Settings.from_env()
        from rich.console import Console
    except token_otel.SettingError as error:
        return _refuse(str(error))
    except ImportError:
        return _refuse('The demo prints with rich: pip install "token-otel[report]"')
    file = Path(settings.file)
    try:
        if file.is_file():  # never a device
            file.unlink()
    except OSError as error:
        return _refuse(f"{file}: cannot be written anew ({error.strerror}); TOKEN_OTEL_FILE names the file for the spans")
    console = Console() if sys.stdout.isatty() else Console(width=100)

    # This is all: from here on every model call of every agent is in the books.
    token_otel.init(file=str(file))

    with ExitStack() as stack:
        bills = _run(stack, live=live, progress=console)
    _flush()
    try:
        seen = report.load([file])
    except report.TraceFileError as error:
        return _refuse(str(error))
    report.show(seen, console)
    if live:
        return 0
    return _compare(bills, seen.totals, console)


def _run(stack: ExitStack, *, live: bool, progress: Any) -> list[Bill]:
    # Frameworks are imported after init(), or before: both are watched.
    from langchain_anthropic import ChatAnthropic
    from langchain_openai import ChatOpenAI
    from script import ANTHROPIC, FIRST, OPENAI, SECOND
    from team import build_team

    openai: dict[str, Any] = {"stream_usage": True}
    anthropic: dict[str, Any] = {}
    servers: list[Any] = []
    if not live:
        servers = [stack.enter_context(LoopbackOpenAI(OPENAI)), stack.enter_context(LoopbackAnthropic(ANTHROPIC))]
        openai |= {"base_url": servers[0].base_url, "api_key": "offline", "max_retries": 0}
        anthropic |= {"base_url": servers[1].base_url, "api_key": "offline", "max_retries": 0}
    team: Any = build_team(
        supervisor=ChatOpenAI(model="gpt-5-mini", **openai),
        researcher=ChatAnthropic(model_name="claude-haiku-4-5", **anthropic),
        writer=ChatOpenAI(model="gpt-5", **openai),
        critic=ChatOpenAI(model="gpt-4.1-mini", **openai),
    )
    with progress.status("The team is at work ...") as status:
        for turn, question in enumerate((FIRST, SECOND), 1):
            steps = team.stream({"messages": [("user", question)]}, {"configurable": {"thread_id": "council-brief"}}, stream_mode="updates")
            for step in steps:
                for name in step:
                    status.update(f"Turn {turn} of 2: {name} has spoken")
    return [bill for server in servers for bill in server.bills]


def _flush() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush()


def _compare(bills: list[Bill], totals: Any, console: Any) -> int:
    """Say whether the spans' sums are what the providers billed."""
    billed = (
        sum(bill.input for bill in bills if bill.delivered),
        sum(bill.output for bill in bills if bill.delivered),
        sum(bill.cost_usd or 0 for bill in bills if bill.delivered),
    )
    said = (totals.input, totals.output, totals.cost_usd)
    text = f"providers billed {billed[0]:,} in / {billed[1]:,} out, ${billed[2]:f}"
    if billed == said:
        console.print(f"{text}; the spans say the same", highlight=False, markup=False)
        return 0
    differences = [
        f"{name}: billed {theirs}, spans {ours}"
        for name, theirs, ours in zip(("input", "output", "USD"), billed, said, strict=True)
        if theirs != ours
    ]
    console.print(f"{text}; the spans differ: {'; '.join(differences)}", highlight=False, markup=False)
    return 1


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

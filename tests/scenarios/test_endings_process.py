"""A process that ends, forks, shuts its provider down or sets it late, with runs of LangChain open."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

PRELUDE = """
import asyncio, os, sys, threading, time
from typing import Any
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
import token_otel
from token_otel import Recorder
from token_otel.testing.loopback import Answer, LoopbackOpenAI, ToolCall

class Print(SpanExporter):
    def __init__(self, name):
        self.name = name
    def export(self, spans):
        for span in spans:
            values = span.attributes
            line = [self.name, span.name, values.get("token_otel.run.status", ""), str(values.get("gen_ai.usage.input_tokens", "-"))]
            os.write(1, (" ".join(line) + "\\n").encode())
        return SpanExportResult.SUCCESS
    def shutdown(self):
        pass

def batch(name):
    return BatchSpanProcessor(Print(name), schedule_delay_millis=3_600_000)

def model(**options):
    return ChatOpenAI(model="gpt-5-mini", base_url=server.base_url, api_key="offline", stream_usage=True, **options)

answer = Answer("word " * 200, chunk_delay_s=0.005)
server = LoopbackOpenAI({"gpt-5-mini": lambda request: answer}).start()
provider = TracerProvider()
"""

SET_UP = """
provider.add_span_processor(batch("before"))
trace.set_tracer_provider(provider)
token_otel.instrument()
provider.add_span_processor(batch("after"))
recorder = Recorder.shared()
"""


def printed(script: str, *, code: int = 0, set_up: str = SET_UP) -> list[str]:
    """What a program prints that exits with `code`, line by line, sorted."""
    env = {**os.environ, "TOKEN_OTEL_RAISE": "1"}
    program = PRELUDE + set_up + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == code, done.stderr
    assert "opentelemetry.context" not in done.stderr
    assert "Failed to detach" not in done.stderr
    if code == 0:
        assert done.stderr == ""
    return sorted(done.stdout.splitlines())


def on_both(*lines: str) -> list[str]:
    """These lines from the processor that was added before us, and from the one that was added after us."""
    return sorted(f"{name} {line}" for name in ("before", "after") for line in lines)


def test_shutting_down_closes_what_is_open_before_the_processors_are():
    """Wherever they stand: the stream that is being read is cancelled, and both processors export it."""
    lines = printed("""
        stream = model().stream("hello")
        next(stream)
        provider.shutdown()
        assert recorder.open_runs == 0
        stream.close()
        server.close()
    """)

    assert lines == on_both("chat gpt-5-mini cancelled -")


def test_a_flush_leaves_what_is_under_way():
    """It exports what has ended, closes what nobody can end any more, and the rest later, as it ends."""
    lines = printed("""
        left = model().stream("hello")
        next(left)
        del left
        stream = model().stream("hello")
        next(stream)
        assert provider.force_flush()
        assert recorder.open_runs == 1
        os.write(1, b"flushed\\n")
        for _ in stream:
            pass
        provider.shutdown()
        os.write(1, f"{server.bills[-1].input}\\n".encode())
        server.close()
    """)

    bill = next(line for line in lines if line.isdigit())
    assert lines == sorted(["flushed", bill, *on_both("chat gpt-5-mini cancelled -", f"chat gpt-5-mini ok {bill}")])


def test_an_interpreter_exits_in_the_middle_of_a_stream():
    """The provider exports it on its way out."""
    lines = printed("""
        stream = model().stream("hello")
        next(stream)
        threading.Thread(target=server.close).start()
    """)

    assert lines == on_both("chat gpt-5-mini cancelled -")


@pytest.mark.parametrize(("stop", "code"), [("sys.exit(3)", 3), ("raise KeyboardInterrupt", 130), ("raise RuntimeError", 1)])
def test_an_interpreter_exits_from_within_a_tool(stop: str, code: int):
    """Everything that began ends once: as cancelled, unless it failed."""
    lines = printed(
        f"""
        @tool
        def leave() -> str:
            "Leave."
            {stop}
        answer = Answer(tool_calls=[ToolCall("leave")])
        try:
            create_agent(model(), [leave], name="pilot").invoke({{"messages": [("user", "hello")]}})
        except KeyboardInterrupt:
            sys.exit(130)
        finally:
            server.close()
        """,
        code=code,
    )

    status = "error" if code == 1 else "cancelled"
    mine = [line.removeprefix("before ") for line in lines if line.startswith("before")]
    assert [line.rsplit(" ", 1)[0] for line in mine] == [
        "chat gpt-5-mini ok",
        f"execute_tool leave {status}",
        f"invoke_agent pilot {status}",
    ]
    assert lines == on_both(*mine)


def test_an_interpreter_exits_while_a_daemon_thread_works():
    """What the thread has under way is cancelled."""
    lines = printed("""
        arrived = threading.Event()
        def read():
            for chunk in model().stream("hello"):
                arrived.set()
                time.sleep(3_600)
        threading.Thread(target=read, daemon=True).start()
        arrived.wait()
        threading.Thread(target=server.close).start()
    """)

    assert lines == on_both("chat gpt-5-mini cancelled -")


def test_a_run_that_never_ends_is_closed_at_exit():
    """Somebody keeps its id, and no one ends it."""
    lines = printed("""
        from uuid import uuid4
        from token_otel_langchain import integration
        kept = [uuid4() for _ in range(3)]
        handler = integration._handler
        for run_id in kept:
            handler.on_chat_model_start({}, [[]], run_id=run_id, metadata={"ls_model_name": "gpt-5-mini"})
        assert recorder.open_runs == 3
        server.close()
    """)

    assert lines == on_both(*["chat gpt-5-mini cancelled -"] * 3)


LATE = """
token_otel.instrument()
provider.add_span_processor(batch("before"))
trace.set_tracer_provider(provider)
provider.add_span_processor(batch("after"))
recorder = Recorder.shared()
"""


@pytest.mark.parametrize("end", ["provider.shutdown()", "pass"])
def test_a_provider_that_is_set_after_we_started(end: str):
    """Its open runs are closed before it is shut down, by the program or at exit."""
    lines = printed(
        f"""
        stream = model().stream("hello")
        next(stream)
        {end}
        threading.Thread(target=server.close).start()
        """,
        set_up=LATE,
    )

    assert lines == on_both("chat gpt-5-mini cancelled -")


def test_a_provider_that_becomes_the_global_one_later_is_the_same():
    """A handler beside `instrument()` then still reports each run once."""
    set_up = """
provider.add_span_processor(batch("before"))
token_otel.instrument(provider)
trace.set_tracer_provider(provider)
"""
    lines = printed(
        """
        from token_otel_langchain import TokenOtelHandler
        answer = Answer("word")
        model().invoke("hello", {"callbacks": [TokenOtelHandler()]})
        os.write(1, f"{server.bills[-1].input}\\n".encode())
        server.close()
        """,
        set_up=set_up,
    )

    bill = next(line for line in lines if line.isdigit())
    assert lines == sorted([bill, f"before chat gpt-5-mini ok {bill}"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_while_a_thread_holds_our_locks():
    """The child goes on with locks of its own; the stream that was open ends in the parent, once."""
    lines = printed("""
        from token_otel_langchain.runs import Runs
        stream = model().stream("hello " * 2_000)
        next(stream)
        runs = Runs.of(recorder)
        held, forked = threading.Event(), threading.Event()
        def hold():
            memo = runs.memo
            with runs._lock, memo._lock, memo._toolbox._lock, recorder._flow.counter._lock, recorder._lock:
                held.set()
                forked.wait()
        threading.Thread(target=hold).start()
        held.wait()
        pid = os.fork()
        if pid == 0:
            model().bind_tools([{"type": "function", "function": {"name": "look", "parameters": {}}}]).invoke("hi " * 3_000)
            provider.force_flush()
            os._exit(0)
        forked.set()
        os.waitpid(pid, 0)
        for _ in stream:
            pass
        provider.shutdown()
        server.close()
    """)

    assert [line.rpartition(" ")[0] for line in lines] == ["after chat gpt-5-mini ok"] * 2 + ["before chat gpt-5-mini ok"] * 2

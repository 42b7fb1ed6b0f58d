"""What accumulates: a text that is read again and again, a context that grows, a conversation that goes on in another process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from tests.tapes import FlatBook

from token_otel import Recorder, Settings, Usage, report
from token_otel.events import AgentStarted, Ended, Event, ModelEnded, ModelStarted, Part, ToolStarted
from token_otel.otel import semconv as sc
from token_otel.otel.file_exporter import JsonLinesSpanExporter
from token_otel.otel.trace_file import read_trace_file
from token_otel.testing import Tape
from token_otel.testing.loopback import LoopbackAnthropic, LoopbackOpenAI

ROOT = Path(__file__).parents[2]
USD_PER_MTOK = Decimal("1E-6")
CHEAP = "cheap"  # FlatBook's, at the prices of Sonnet: 3 in, 3.75 to write, 0.30 from the cache
FRAMING = 4  # tokens a message, of a model that nobody knows


def words(tokens: int, word: str = "hello") -> str:
    """A text of so many tokens, its message's framing included."""
    return word + f" {word}" * (tokens - FRAMING - 1)


def exported(path: Path, events: list[Event], instance: str) -> Path:
    """Play a tape to a recorder in a process of this name, which writes into a file."""
    provider = TracerProvider(resource=Resource({"service.instance.id": instance}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(JsonLinesSpanExporter(str(path))))
    recorder = Recorder(provider, settings=Settings(worker="inline", raise_errors=True), prices=FlatBook())
    Tape(events).play(recorder)
    provider.shutdown()
    return path


def call(run: str, agent: str, prompt: list[Part], answer: Part, **usage: Any) -> list[Event]:
    """One model call."""
    return [
        ModelStarted(run_id=run, parent_id=agent, model=CHEAP, provider="anthropic", prompt=tuple(prompt)),
        ModelEnded(run_id=run, usage=Usage(**usage), output=(answer,)),
    ]


def reread_result() -> list[Event]:
    """A tool's result of 2,841 tokens, written to the cache for five minutes, then read from there by 19 more calls."""
    prompt = [
        Part(kind="tools", text=words(80 + FRAMING, "river")),  # schemas have no framing; the preamble adds 20
        Part(kind="system", text=words(100, "stone")),
        Part(kind="user", text=words(50, "paper")),
    ]
    asks = Part(kind="tool_call", text=words(30, "green"), message_id="m-asks", call_id="call-1")
    result = Part(kind="tool_result", text=words(2841, "table"), call_id="call-1", name="web_fetch")
    tape: list[Event] = [AgentStarted(run_id="a", name="researcher", conversation_id="c1")]
    tape += call("c0", "a", prompt, asks, input=250, output=30)
    tape += [ToolStarted(run_id="t", parent_id="a", name="web_fetch", call_id="call-1"), Ended(run_id="t", output=(result,))]
    prompt += [asks, result]
    for number in range(20):
        # 250 + 30 + 2,841 lie in the cache from the first of these calls on; each answer of 20 tokens makes the next call longer.
        fresh, cache = 20 * number, "cache_read" if number else "cache_write_5m"
        answer = Part(kind="assistant", text=words(20, "light"), message_id=f"m-{number}")
        tape += call(f"c{number + 1}", "a", prompt, answer, **{"input": 3121 + fresh, cache: 3121, "output": 20})
        prompt += [answer]
    return [*tape, Ended(run_id="a")]


LIFE_USD = 2841 * Decimal("3.75") * USD_PER_MTOK + 19 * 2841 * Decimal("0.30") * USD_PER_MTOK
FACE_USD = 2841 * 3 * USD_PER_MTOK


@pytest.fixture(scope="module")
def reread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("reread") / "spans.jsonl", reread_result(), "one")


def test_the_arithmetic():
    """2,841 tokens at 3.75, then 53,979 at 0.30, come to 0.0268 USD: 3.1 times their face price at 3.00."""
    assert 19 * 2841 == 53_979
    assert LIFE_USD == Decimal("0.01065375") + Decimal("0.0161937") == Decimal("0.02684745")
    assert Decimal("0.008523") == FACE_USD
    assert f"{LIFE_USD / FACE_USD:.2f}" == "3.15"


def test_the_agents_span_says_what_a_result_cost_over_its_life(reread: Path):
    """The dearest of its messages is the tool's result: 20 reads, tokens and USD."""
    spans = read_trace_file(reread).spans
    [agent] = [span for span in spans if span.name == "invoke_agent researcher"]
    [tool] = [span for span in spans if span.name == "execute_tool web_fetch"]
    dearest = [agent.attributes[name][0] for name in MESSAGES]  # pyright: ignore[reportIndexIssue, reportUnknownVariableType]

    assert dearest == [f"{tool.trace_id}:{tool.span_id}", 20, 20 * 2841, float(LIFE_USD)]


MESSAGES = (sc.AGENT_MESSAGE_PRODUCERS, sc.AGENT_MESSAGE_READS, sc.AGENT_MESSAGE_TOKENS, sc.AGENT_MESSAGE_COST)


def test_the_report_tells_first_read_and_re_reads_apart(reread: Path):
    """The dearest message is the result, with its price over its life as a multiple of its face price."""
    dearest = report.load(reread).messages[0]

    assert (dearest.origin, dearest.reads, dearest.rereads, dearest.at_least) == ("tool:web_fetch", 20, 19, False)
    assert (dearest.new_tokens, dearest.new_usd) == (2841, Decimal("0.01065375"))
    assert (dearest.reread_tokens, dearest.reread_usd) == (53_979, Decimal("0.0161937"))
    assert (dearest.cost_usd, dearest.face_usd, dearest.times_face) == (LIFE_USD, FACE_USD, 3.15)


def test_the_account_of_the_agent_says_so(reread: Path):
    """Of what it paid to re-read, the result is most; without a cache it would have paid for all tokens at 3.00."""
    seen = report.load(reread)
    [account] = seen.accounts
    # 20 more calls read the 250 tokens of the first again, 19 the tool call and the result, 18 + 17 + ... the 20 of each answer.
    again = 20 * 250 + 19 * (30 + 2841) + 20 * sum(range(19))
    whole = 250 + 20 * 3121 + 20 * sum(range(20))
    cached = 3121 * Decimal("3.75") + 19 * 3121 * Decimal("0.30")

    assert (account.own.input, account.own.reread) == (whole, again)
    assert account.own.input_usd == (cached + 3 * (250 + 20 * sum(range(20)))) * USD_PER_MTOK
    # The first 250 were re-read when they were written to the cache: at 3.75.
    read_from_cache = 19 * 3121 * Decimal("0.30") + 250 * Decimal("3.75")
    assert account.own.reread_usd == (read_from_cache + 3 * 20 * sum(range(19))) * USD_PER_MTOK
    assert account.own.caching_saved_usd == (20 * 3121 * 3 - cached) * USD_PER_MTOK
    assert account.own.broken_tokens == 0


def test_the_tables_say_so(reread: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Face price, first read, re-reads, all reads and the multiple stand in one row of two lines."""
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "100")
    report.show(report.load(reread), only=["messages"])
    first, below = capsys.readouterr().out.splitlines()[5:7]

    assert first.split()[-7:] == ["1", "+", "19", "2,841", "53,979", "56,820", "3.1x"]
    assert below.split()[-4:] == ["$0.008523", "$0.010654", "$0.016194", "$0.026847"]


def turn(number: int, said: list[Part], answers: dict[str, int]) -> list[Event]:
    """A turn of a conversation: each agent reads all that was said and answers, in so many tokens."""
    tape: list[Event] = [AgentStarted(run_id=f"w{number}", name="team", kind="workflow", conversation_id="c1")]
    for name, tokens in answers.items():
        agent, own = f"{name}{number}", Part(kind="system", text=words(60, name))
        answer = Part(kind="assistant", text=words(tokens, ALIKE[name]), message_id=f"message-of-{name}-{number}")
        size = 60 + sum(each.text.count(" ") + 1 + FRAMING for each in said)
        tape += [AgentStarted(run_id=agent, parent_id=f"w{number}", name=name)]
        # No tools, so that 3 hidden tokens are what the provider adds.
        tape += call(f"{agent}c", agent, [own, *said], answer, input=size + 3, output=tokens)
        tape += [Ended(run_id=agent)]
        said.append(answer)
    return [*tape, Ended(run_id=f"w{number}")]


ALIKE = {"writer": "river", "editor": "stone"}


def test_two_processes_are_as_one(tmp_path: Path):
    """Agents' words of an earlier process come back under their names: matrix, lives and contexts as if one had run it all."""
    said = [Part(kind="user", text=words(40, "paper"))]
    first = turn(1, said, {"writer": 300, "editor": 200})
    second = turn(2, said, {"editor": 100, "writer": 50})
    whole = report.load(exported(tmp_path / "whole", [*first, *second], "one"))
    parts = [exported(tmp_path / "a", first, "one"), exported(tmp_path / "b", second, "two")]
    joined, alone = report.load(parts), report.load(parts[1])

    assert "external" in alone.matrix.producers
    assert spending(joined) == spending(whole)
    assert [life(each) for each in joined.messages if each.producer] == [life(each) for each in whole.messages if each.producer]
    assert roles(joined) == roles(whole)
    assert [(each.name, each.own.input, each.own.cost_usd) for each in joined.accounts] == [
        (each.name, each.own.input, each.own.cost_usd) for each in whole.accounts
    ]
    assert joined.velocity == whole.velocity
    # What the second process cannot know it has read before: each agent's system prompt of 60, and the question of 40.
    assert whole.totals.reread - joined.totals.reread == pytest.approx(2 * (60 + 40), abs=4)


def spending(seen: report.Report) -> dict[tuple[str, str], tuple[int, Decimal]]:
    return {key: (cell.tokens, round(cell.cost_usd, 9)) for key, cell in seen.matrix.cells.items()}


def life(message: Any) -> tuple[Any, ...]:
    return message.origin, message.reads, message.rereads, message.tokens, round(message.cost_usd, 9), message.readers, message.face_usd


def roles(seen: report.Report) -> list[dict[str, int]]:
    return [dict(turn.roles) for each in seen.conversations for context in each.contexts for turn in context.turns]


def demo(folder: Path, *processes: str) -> report.Report:
    """Run the demo's turns in some processes, one after the other, against the same providers; read all that they wrote."""
    sys.path.insert(0, str(ROOT / "examples" / "research_team"))
    try:
        from script import ANTHROPIC, OPENAI  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
    finally:
        sys.path.pop(0)
    folder.mkdir()
    files = [folder / f"{number}.jsonl" for number in range(len(processes))]
    with LoopbackOpenAI(OPENAI) as gpt, LoopbackAnthropic(ANTHROPIC) as claude:  # pyright: ignore[reportUnknownArgumentType]
        for file, turns in zip(files, processes, strict=True):
            program = [sys.executable, str(Path(__file__).with_name("turns_of_the_demo.py"))]
            environment = os.environ | {"TOKEN_OTEL_FILE": str(file), "TOKEN_OTEL_WORKER": "inline"}
            arguments = [gpt.base_url, claude.base_url, str(folder / "history"), turns]
            subprocess.run([*program, *arguments], env=environment, check=True)
    return report.load(files)


def column(seen: report.Report, reader: str) -> dict[str, tuple[int, Decimal]]:
    return {producer: tokens for (producer, consumer), tokens in spending(seen).items() if consumer == reader}


def answers(seen: report.Report) -> list[tuple[str, int, int, bool]]:
    return sorted((each.origin or "", each.output_tokens, each.reads, each.at_least) for each in seen.messages if each.output_tokens)


def test_the_demo_in_two_processes_is_as_in_one(tmp_path: Path):
    """The matrix has the same rows and columns, and its cells are the same but for what each process has learnt of a model."""
    whole, joined = demo(tmp_path / "one", "FIRST,SECOND"), demo(tmp_path / "two", "FIRST", "SECOND")

    assert joined.totals.cost_usd == whole.totals.cost_usd
    assert set(joined.matrix.cells) == set(whole.matrix.cells)
    for (producer, reader), cell in whole.matrix.cells.items():
        other = joined.matrix.cells[producer, reader]
        # What the provider says of tools unseen is learnt from its bills, which the second process has not seen; it is weighed
        # against all the rest.
        if producer == "tools":
            continue
        assert other.tokens == pytest.approx(cell.tokens, rel=0.05, abs=5), (producer, reader)
    # Who is told of no tools has read and paid the same.
    for reader in ("writer", "critic"):
        assert column(joined, reader) == column(whole, reader)
    # Each answer is read as often; a small one that the arrays of one process had no room for is `at least` there.
    for one, other in zip(answers(whole), answers(joined), strict=True):
        assert one[:2] == other[:2]
        assert other[2] >= one[2] if one[3] else other[2] == one[2]


def test_the_audit_names_what_is_re_read():
    """The example says that four fifths of the context are results read before, and names the dearest; the README shows what it prints."""
    pytest.importorskip("rich")
    audit = [sys.executable, str(ROOT / "examples" / "context_audit.py")]
    done = subprocess.run(audit, capture_output=True, text=True, env=os.environ | {"COLUMNS": "100"}, check=False)

    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^8\d% of what the researcher reads are tool results that it has read before: [\d,]+ tokens, \$0.0\d+.$", done.stdout, re.M
    )
    assert re.search(r"^tool read_chapter \w{8}, trace 1 .* 4\.\dx$", done.stdout, re.M)
    assert "dearest breaks" in done.stdout
    # Ids of spans are others each time.
    [shown] = re.findall(r"```console\n(Context growth\n.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    printed = [_nameless(line) for line in done.stdout.splitlines()]
    assert [line for line in shown.splitlines() if _nameless(line) not in printed] == []


def _nameless(line: str) -> str:
    return re.sub(r"\b[0-9a-f]{8}\b", "an id", line).rstrip()

"""What the doctor says of a trace file."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.doctor.conftest import Found
from tests.trace_files import chat, span, write

from token_otel.cli import main
from token_otel.doctor import traces
from token_otel.otel import semconv as sc
from token_otel.prices.price_file import PriceFileError, parse

ROOT = Path(__file__).parents[2]

PRICED: dict[str, Any] = {sc.COST_STATUS: "priced", sc.INPUT_TOKENS: 1000, sc.OUTPUT_TOKENS: 100, sc.COST_TOTAL: 0.002}
UNPRICED: dict[str, Any] = {sc.COST_STATUS: "unpriced", sc.INPUT_TOKENS: 1000, sc.OUTPUT_TOKENS: 100}
UNREPORTED: dict[str, Any] = {sc.COST_STATUS: "unpriced", sc.USAGE_STATUS: "unreported"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "t.jsonl"


def examine(file: Path, **env: str) -> Found:
    return Found(traces.findings(traces.read([str(file)]), env))


def test_a_sound_file_is_said_to_be(file: Path):
    """How many spans, and that every cost is known."""
    write(file, chat("c", PRICED))
    found = examine(file)

    assert found.of("ok") == [f"{file}: 1 span of token-otel, 1 model call.", "The tokens and the cost of every call are known."]
    assert len(found.findings) == 2


def test_a_file_without_ours(file: Path):
    """Nobody switched token-otel on."""
    write(file, chat("c", {}), scope="somebody.else")

    assert examine(file).to_do() == ["Call token_otel.instrument() in the program, before its first run."]


def test_calls_without_usage_name_the_class_to_set(file: Path):
    """A stream of an OpenAI-compatible server reports usage when asked."""
    write(file, chat("c", UNREPORTED | {sc.REQUEST_STREAM: True}), chat("d", PRICED | {sc.RESPONSE_MODEL: "m-1-2026"}))
    found = examine(file)

    assert found.of("warning") == ["No usage for 1 of 2 calls to openai/m-1 (streamed): they are in no sum."]
    assert found.to_do() == ["Set stream_usage=True on ChatOpenAI (it is off by default where a base_url is set)."]


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({sc.PROVIDER_NAME: "azure.ai.openai", sc.REQUEST_STREAM: True}, "stream_usage=True on AzureChatOpenAI"),
        ({sc.PROVIDER_NAME: "acme", sc.REQUEST_STREAM: True}, 'stream_options={"include_usage": true}'),
        ({}, "TOKEN_OTEL_ESTIMATE=on"),
    ],
)
def test_what_to_set_depends_on_the_call(file: Path, more: dict[str, Any], what: str):
    """By provider, and whether it was streamed."""
    write(file, chat("c", UNREPORTED | more))

    [line] = examine(file).to_do()
    assert what in line


def test_an_unpriced_model_comes_with_the_entry_to_write(file: Path):
    """Ready for a price file, which refuses it until the prices are filled in: 0 would make the model free."""
    write(file, chat("c", UNPRICED))
    [finding] = [finding for finding in examine(file).findings if finding.grade == "warning"]

    assert finding.found == "1 call to openai/m-1 without a price: 1,100 tokens cost an unknown amount."
    assert tomllib.loads(finding.block) == {"model": [{"provider": "openai", "match": "m-1", "input": "?", "output": "?"}]}
    with pytest.raises(PriceFileError):
        parse(finding.block, name="prices.toml", form="toml")
    assert len(parse(finding.block.replace('"?"', "1.5"), name="prices.toml", form="toml").entries) == 1


def test_a_model_that_has_a_price_by_now_is_to_be_repriced(file: Path):
    """The list knows it, or the user's own prices do."""
    write(file, chat("c", UNPRICED | {sc.REQUEST_MODEL: "gpt-5"}))

    assert examine(file).to_do() == [f"It has a price by now: token-otel reprice {file}"]


def test_a_bill_that_was_not_in_the_request(file: Path):
    """A large part that belongs to nobody is worth a look."""
    write(file, chat("c", PRICED | {sc.INPUT_BY_ROLE["unexplained"]: 400}), chat("d", PRICED | {sc.INPUT_BY_ROLE["unexplained"]: 50}))

    assert examine(file).of("note") == [
        "1 call to openai/m-1 billed 400 input tokens (40%) that were not in the request: they belong to nobody."
    ]


def test_calls_that_were_broken_off(file: Path):
    """Their bill is what was seen; they are not blamed on the provider."""
    write(file, chat("c", UNREPORTED | {sc.RUN_STATUS: "cancelled"}), chat("d", PRICED | {sc.RUN_STATUS: "cancelled"}))
    found = examine(file)

    assert (found.of("warning"), found.of("note")) == ([], ["2 calls broken off, 1 of them before any usage came."])


def test_calls_that_ended_late(file: Path):
    """The agent's own sums are too small by them."""
    write(file, chat("c", PRICED), chat("d", PRICED | {sc.LATE: True}, continues="c"))

    assert examine(file).to_do("note") == ["Await what an agent starts before it ends, or raise TOKEN_OTEL_GRACE_S."]


def test_spans_of_others_count_twice(file: Path):
    """With how much, and what turns them off."""
    write(file, chat("c", PRICED))
    write(file, chat("d", {sc.INPUT_TOKENS: 1000, sc.OUTPUT_TOKENS: 100}), scope="com.anthropic.sdk.python")
    [finding] = [finding for finding in examine(file).findings if finding.grade == "warning"]

    assert finding.found == ("Tokens stand on 1 span of com.anthropic.sdk.python too: a sum over all spans counts 1,100 on top of ours.")
    assert finding.do.startswith("Set ANTHROPIC_OPEN_TELEMETRY=false,")


def test_messages_of_another_process(file: Path, tmp_path: Path):
    """Their ids are those that the other process's file holds; with it, nothing is open."""
    write(file, chat("c", PRICED | {sc.FLOW_EXTERNAL_IDS: ["msg-1"], sc.FLOW_EXTERNAL_TOKENS: [300]}))
    other = write(tmp_path / "other.jsonl", chat("d", PRICED | {sc.MESSAGE_IDS: ["msg-1"]}))

    assert examine(file).of("note") == ["300 tokens were read of 1 message that another process produced: msg-1."]
    assert Found(traces.findings(traces.read([str(file), other]), {})).of("note") == []


def test_spans_that_are_missing(file: Path):
    """Agents count more calls than there are, and a line broke off."""
    write(file, span("a", "invoke_agent", {sc.AGENT_NAME: "boss", sc.rollup(sc.OWN, "calls"): 2}), chat("c", PRICED, parent="a"))
    with file.open("a") as lines:
        lines.write('{"resourceSpans": [{"sco')

    assert examine(file).of("warning") == [
        "1 line broken off: the spans on them are missing.",
        "No span here for 1 call that agents count as theirs: sums over calls are too small.",
    ]


def test_the_demo_is_sound(tmp_path: Path):
    """Every call of the demo's own file is known and priced."""
    pytest.importorskip("langchain")
    file = tmp_path / "t.jsonl"
    command = [sys.executable, str(ROOT / "examples" / "research_team")]
    subprocess.run(command, capture_output=True, check=True, env=os.environ | {"TOKEN_OTEL_FILE": str(file)})

    assert [finding.grade for finding in examine(file).findings] == ["ok", "ok"]


def test_a_missing_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The exit code is 2."""
    assert main(["doctor", str(tmp_path / "none.jsonl")]) == 2
    assert "found no such file" in capsys.readouterr().err

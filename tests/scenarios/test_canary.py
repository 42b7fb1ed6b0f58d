"""No word of a prompt, answer, argument, result, document, schema or error leaves, nor a digest of one, at any setting."""

# What is planted on a span is a lambda's.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import logging
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.trace import Status, StatusCode
from tests.scenarios.canary import CANARY, NAME, Finder, Outlet, outlet, say
from tests.scenarios.stories import STORIES, Story

from token_otel.cli import main
from token_otel.otel.names import Names
from token_otel.settings import COST_PROFILES, VARIABLES

COMMON = {
    "TOKEN_OTEL_BAGGAGE": "tenant",
    "TOKEN_OTEL_METADATA": "tenant",
    "TOKEN_OTEL_METRIC_TAGS": "tenant",
    "TOKEN_OTEL_NAMES_KEY": "a key",
}
_VARIED = (
    "FLOW",
    "ESTIMATE",
    "METRICS",
    "COST_ATTRIBUTES",
    "MODEL_SPANS",
    "NAMES",
    "WORKER",
    "CACHE_WRITE_NAME",
    "instrument",
)
_ALL = "openlit,openinference,langfuse,logfire,mlflow"
_DRAFT = "semconv-draft,openinference,langfuse"
ROWS: list[dict[str, str]] = [
    dict[str, str](zip(_VARIED, row, strict=True))
    for row in (
        ("text", "off", "both", _ALL, "on", "plain", "thread", "new", "on"),
        ("ids", "on", "latest", _DRAFT, "off", "hashed", "inline", "old", "off"),
        ("off", "on", "legacy", "off", "on", "hashed", "thread", "both", "off"),
        ("text", "on", "off", "openlit", "on", "hashed", "inline", "new", "on"),
        ("text", "off", "latest", "off", "off", "hashed", "inline", "both", "on"),
        ("ids", "off", "legacy", _ALL, "on", "plain", "inline", "new", "on"),
        ("off", "off", "both", _DRAFT, "on", "plain", "thread", "old", "off"),
        ("text", "on", "both", _ALL, "on", "hashed", "thread", "both", "off"),
    )
]
HALVES = (ROWS[:4], ROWS[4:])
CASES = [
    pytest.param(story, row, id=f"{story.name}-{ROWS.index(row)}")
    for number, story in enumerate(STORIES.values())
    for row in HALVES[number % 2]
]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Outlet]:
    """Play a story at some settings, and return what left."""
    monkeypatch.setattr("token_otel.testing.loopback.anthropic_messages.THOUGHT", say("a thought"))

    def played(story: Story, row: Mapping[str, str] = ROWS[0], meanwhile: Callable[[], object] = lambda: None) -> Outlet:
        env = COMMON | {f"TOKEN_OTEL_{name}": value for name, value in row.items() if name.isupper()}
        instrumented = row["instrument"] == "on"
        with outlet(tmp_path, monkeypatch, capfd, (story.openai(), story.anthropic()), env, instrumented=instrumented) as out:
            meanwhile()
            about: Any = {"metadata": {"tenant": "acme", "secret": CANARY}, "tags": [CANARY]}
            story.act(out.bench, about if instrumented else {**out.bench.config, **about})
        return out

    return played


@pytest.mark.parametrize(("story", "row"), CASES)
def test_no_word_leaves(play: Callable[..., Outlet], story: Story, row: Mapping[str, str]):
    """However a run ends; and with hashed names, no name either."""
    out = play(story, row)

    assert CANARY in "".join(part.text for part in out.heard)
    assert out.spans or row["MODEL_SPANS"] == "off"
    assert out.leaks() == {}
    assert [line for line in out.lines.said if "token-otel failed" in line or "callback" in line] == []
    if row["NAMES"] == "hashed":
        assert {place: text for place, text in _texts(out).items() if NAME in text} == {}


def _texts(out: Outlet) -> dict[str, str]:
    return {place: what.decode("utf-8", "replace") if isinstance(what, bytes) else what for place, what in out.everything().items()}


def _failing(text: str) -> Any:
    def fail(*args: object, **kwargs: object) -> Any:
        raise KeyError(text)

    return fail


@pytest.mark.parametrize(
    "place",
    [
        "token_otel_langchain.messages.parts_of",
        "token_otel_langchain.handler.parameters",
        "token_otel_langchain.handler.model_ended",
        "token_otel_langchain.handler.tool_results",
        "token_otel_langchain.handler.document_parts",
        "token_otel_langchain.runs.agent_name",
        "token_otel.flow.prompts.read",
        "token_otel.flow.book.FlowBook.split",
        "token_otel.flow.book.FlowBook.produced",
        "token_otel.flow.prompts.Prompts.learn",
        "token_otel.tokens.counter.Counter.count",
        "token_otel.ledger.ledger.book",
        "token_otel.otel.spans.start_attributes",
        "token_otel.otel.spans.end_attributes",
        "token_otel.otel.metrics.MetricWriter._model",
        "token_otel.otel.file_exporter.encode_line",
        "token_otel.prices.lazy.LazyBook.find",
    ],
)
def test_a_failure_of_ours_says_no_word(play: Callable[..., Outlet], monkeypatch: pytest.MonkeyPatch, place: str):
    """What an error of ours says may quote what it met: it is logged by its class and place."""
    out = play(STORIES["tools"], ROWS[0], lambda: monkeypatch.setattr(place, _failing(say("an error of ours"))))

    assert "KeyError" in "".join(out.lines.said)
    assert out.leaks() == {}


def test_what_is_read_of_the_file_says_no_word(play: Callable[..., Outlet], capfd: pytest.CaptureFixture[str]):
    """Report, doctor and repricing: in print, as JSON, and in the file that they write."""
    out = play(STORIES["several_providers"])
    file = str(out.folder / "trace.jsonl")
    for command in (["report", file], ["report", "--json", file], ["doctor", file], ["doctor", "--json", file], ["reprice", file]):
        main(command)
    out.printed = "".join(capfd.readouterr())

    assert "zqvexpilot" in out.printed
    assert (out.folder / "trace.repriced.jsonl").exists()
    assert out.leaks() == {}


@pytest.mark.parametrize("row", [ROWS[3], ROWS[7]], ids=["inline", "thread"])
def test_a_hashed_name_is_the_same_everywhere(play: Callable[..., Outlet], row: Mapping[str, str]):
    """On spans, links and metrics, as an origin and a destination, so that reports join."""
    out = play(STORIES["handed_off"], {**row, "METRICS": "both"})
    writer = Names(hashed=True, key="a key").show("zqvexwriter")
    metrics = str(out.everything()["metrics"])
    values: list[dict[str, Any]] = [dict(span.attributes or {}) for span in out.spans]

    assert f"invoke_agent {writer}" in [span.name for span in out.spans]
    assert writer in [value.get("gen_ai.agent.name") for value in values]
    assert (writer,) in [value.get("token_otel.agent.handoffs") for value in values]
    assert f"agent:{Names(hashed=True, key='a key').show('zqvexpilot')}" in {
        origin for value in values for origin in value.get("token_otel.flow.origins", ())
    }
    assert f'"{writer}"' in metrics


# That the finder finds.

DIGEST = hashlib.sha256(CANARY.encode()).hexdigest()


LEAKS: dict[str, bytes | str] = {
    "words": CANARY,
    "upper case": say("a place").upper(),
    "a chunk": CANARY[10:22],
    "utf-16": CANARY.encode("utf-16-le"),
    "hex": CANARY.encode().hex(),
    "base64": b64encode(CANARY.encode()),
    "base64, shifted": b64encode(f"x{CANARY}".encode()),
    "sha256": DIGEST,
    "sha256, cut": f"id-{DIGEST[:8]}",
    "sha256, within": f"0{DIGEST[:12]}0",
    "sha256, base64": b64encode(bytes.fromhex(DIGEST)),
    "sha256, integer": str(int(DIGEST[:16], 16)),
    "blake2": hashlib.blake2b(CANARY.encode(), digest_size=6).hexdigest(),
    "md5 of a word": hashlib.md5(b"Ottoline's", usedforsecurity=False).hexdigest(),
    "crc32": f'{{"value": {zlib.crc32(CANARY.encode())}}}',
    "hash": f'{{"value": "{hash(CANARY)}"}}',
    "hash, hex": f"{hash(CANARY) & ((1 << 64) - 1):016x}",
}


@pytest.mark.parametrize("form", LEAKS)
def test_the_finder_finds(form: str):
    """Words, parts of words, encodings and digests."""
    assert Finder([CANARY, say("a place")]).find(LEAKS[form]) != []


def test_the_finder_finds_nothing_else():
    """Ids, times and prices are no leak."""
    ids = " ".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(2_000))
    times = " ".join(str(1_790_000_000_000_000_000 + number * 1_000_003) for number in range(2_000))

    assert Finder([CANARY, say("a place")]).find(f"{ids} {times} 0.00001234567 keeper of the seven lamps") == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("attribute", lambda span: span.set_attribute("x", hashlib.sha1(say("a question").encode()).hexdigest())),
        ("integer", lambda span: span.set_attribute("x", [zlib.adler32(say("a system prompt").encode())])),
        ("status", lambda span: span.set_status(Status(StatusCode.ERROR, say("an error")))),
        ("event", lambda span: span.record_exception(ValueError(CANARY))),
        ("link", lambda span: span.add_link(span.get_span_context(), {"x": CANARY[:12]})),
        ("log", lambda span: logging.getLogger("token_otel").debug("%s", CANARY)),
        ("print", lambda span: print(CANARY)),
    ],
)
def test_a_planted_leak_is_found(play: Callable[..., Outlet], monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Any], object]):
    """On its way out of any door."""
    from token_otel.otel.spans import SpanWriter

    write = SpanWriter._write  # pyright: ignore[reportPrivateUsage]

    def leaky(writer: SpanWriter, span: Any, closed: Any) -> None:
        write(writer, span, closed)
        change(span)

    monkeypatch.setattr(SpanWriter, "_write", leaky)
    places = set(play(STORIES["tools"]).leaks())

    doors = {"log": {"log"}, "print": {"printed"}, "integer": {"spans", "trace.jsonl", "decoded wire"}}
    assert places == doors.get(name, {"spans", "trace.jsonl", "decoded wire", "wire"})


def test_the_rows_cover_every_setting():
    """Each half of them has a row with each kind of flow, metrics and cache name, and each switch on and off."""
    apart = {"ENABLED", "PRICES", "STORE_MB", "FILE", "GRACE_S", "RAISE"}  # decide on nothing that leaves, or on whether anything does
    varied = {name for name in _VARIED if name.isupper()}

    assert {f"TOKEN_OTEL_{name}" for name in varied | apart} | set(COMMON) == set(VARIABLES)
    for half in HALVES:
        for name in set(_VARIED) - {"METRICS", "COST_ATTRIBUTES"}:
            assert {row[name] for row in half} == {row[name] for row in ROWS}, name
    assert {row["METRICS"] for row in ROWS} == {"both", "latest", "legacy", "off"}
    assert {profile for row in ROWS for profile in row["COST_ATTRIBUTES"].split(",")} == {*COST_PROFILES, "off"}

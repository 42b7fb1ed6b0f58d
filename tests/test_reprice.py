"""`token-otel reprice`: other prices, the same everything else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.trace_files import attributes, chat, producer, span, write

from token_otel.cli import main
from token_otel.ledger import Posting
from token_otel.otel import profiles
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import read_trace_file
from token_otel.prices import Cost
from token_otel.report import load
from token_otel.reprice import default_out
from token_otel.reprice.changes import COST_NAMES
from token_otel.settings import COST_PROFILES
from token_otel.usage import Usage

ROOT = Path(__file__).parent.parent

# 1,000 x $1 + 100 x $10, per million
PRICED: dict[str, Any] = {
    sc.COST_STATUS: "priced",
    sc.USAGE_STATUS: "reported",
    sc.INPUT_TOKENS: 1000,
    sc.OUTPUT_TOKENS: 100,
    sc.COST_INPUT: 0.001,
    sc.COST_OUTPUT: 0.001,
    sc.COST_TOTAL: 0.002,
    sc.PRICE_SOURCE: "override",
    sc.PRICE_VERSION: "old.toml",
    sc.PRICE_MODEL: "m-1",
}
UNPRICED: dict[str, Any] = {sc.COST_STATUS: "unpriced", sc.USAGE_STATUS: "reported", sc.INPUT_TOKENS: 1000, sc.OUTPUT_TOKENS: 100}

PRICES = '[[model]]\nmatch = "m-1"\ninput = 2\noutput = 20\ncache_read = 0.2\ncache_write = 3\n'


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a price file, m-1 at $2 and $20, and no prices in the environment."""
    monkeypatch.delenv("TOKEN_OTEL_PRICES", raising=False)
    (tmp_path / "p.toml").write_text(PRICES)
    return tmp_path


def reprice(files: Path, prices: str = "p.toml") -> int:
    return main(["reprice", str(files / "t.jsonl"), "--prices", str(files / prices), "--out", str(files / "o.jsonl")])


def test_prices_a_call_anew(files: Path):
    """From its tokens, by the file's prices, with where they come from."""
    write(files / "t.jsonl", chat("c", PRICED))

    assert reprice(files) == 0
    # 1,000 x $2 + 100 x $20, per million
    assert attributes(files / "o.jsonl", "c") == attributes(files / "t.jsonl", "c") | {
        sc.COST_INPUT: 0.002,
        sc.COST_OUTPUT: 0.002,
        sc.COST_TOTAL: 0.004,
        sc.PRICE_VERSION: "p.toml",
    }


def test_gives_a_price_to_what_had_none(files: Path):
    """Also in the words of the backend that the settings name, since the file shows none."""
    write(files / "t.jsonl", chat("c", UNPRICED))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    assert (found[sc.COST_STATUS], found[sc.COST_TOTAL], found[sc.OPENLIT_COST]) == ("priced", 0.004, 0.004)


def test_speaks_as_the_file_does(files: Path):
    """The backends in whose words the file says its costs are those that read the new ones."""
    mlflow = json.dumps({"input_cost": 0.001, "output_cost": 0.001, "total_cost": 0.002})
    write(files / "t.jsonl", chat("c", PRICED | {sc.LOGFIRE_COST: 0.002, sc.MLFLOW_COST: mlflow}))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    assert found[sc.LOGFIRE_COST] == 0.004
    assert json.loads(found[sc.MLFLOW_COST]) == {"input_cost": 0.002, "output_cost": 0.002, "total_cost": 0.004}
    assert sc.OPENLIT_COST not in found


@pytest.mark.parametrize("profile", COST_PROFILES)
def test_every_cost_of_every_backend_is_repriced(profile: str):
    """What a profile writes of a priced call and not of an unpriced one is what `reprice` has to know."""
    usd = Decimal(1)
    cost = Cost(
        status="priced",
        input_usd=usd,
        output_usd=usd,
        total_usd=usd,
        cache_read_usd=usd,
        cache_write_usd=usd,
        reasoning_usd=usd,
    )
    usage = Usage(input=1, output=1)
    priced, unpriced = (
        profiles.cost_attributes([profile], Posting(usage=usage, usage_status="reported", cost=each, model="m"))
        for each in (cost, Cost(status="unpriced"))
    )
    assert set(priced) - set(unpriced) == set(COST_NAMES[profile])


def test_takes_away_what_has_no_price_now(files: Path):
    """An unknown cost is absent, not the old one."""
    (files / "p.toml").write_text('[[model]]\nmatch = "m-2"\ninput = 2\n')
    write(
        files / "t.jsonl",
        chat("c", PRICED | {sc.OPENLIT_COST: 0.002, sc.FLOW_ORIGINS: ["user"], sc.FLOW_TOKENS: [1000], sc.FLOW_COST: [0.001]}),
    )
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    assert found[sc.COST_STATUS] == "unpriced"
    assert not {sc.COST_INPUT, sc.COST_TOTAL, sc.OPENLIT_COST, sc.FLOW_COST, sc.PRICE_SOURCE} & set(found)


def test_splits_the_new_cost_by_origin(files: Path):
    """What was read from the cache is known for each origin."""
    flow = {sc.FLOW_ORIGINS: ["user", "system"], sc.FLOW_TOKENS: [600, 400], sc.FLOW_CACHE_READ: [0, 400], sc.FLOW_COST: [0.0006, 0.0004]}
    write(files / "t.jsonl", chat("c", PRICED | {sc.CACHE_READ_TOKENS: 400} | flow))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    # 600 x $2 and 400 x $0.20, per million
    assert found[sc.FLOW_COST] == (0.0012, 0.00008)
    assert found[sc.COST_INPUT] == 0.00128


def test_fresh_and_written_tokens_share_their_average(files: Path):
    """How they divide by origin is not on the span; the sum is still the input's cost."""
    flow = {sc.FLOW_ORIGINS: ["user", "system"], sc.FLOW_TOKENS: [600, 400], sc.FLOW_COST: [0.0006, 0.0004]}
    write(files / "t.jsonl", chat("c", PRICED | {sc.CACHE_WRITE_TOKENS: 500} | flow))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    # 500 x $2 + 500 x $3 = $0.0025 for 1,000: $2.50 per million on average
    assert found[sc.FLOW_COST] == (0.0015, 0.001)
    assert found[sc.COST_INPUT] == 0.0025


def test_what_was_read_again_is_repriced_as_coming_from_the_cache_first(files: Path):
    """Of 600 tokens read again 400 came from the cache: 400 x $0.20 + 200 x $2, per million."""
    flow = {sc.FLOW_ORIGINS: ["user"], sc.FLOW_TOKENS: [1000], sc.FLOW_CACHE_READ: [400], sc.FLOW_NEW: [400], sc.FLOW_COST: [0.00064]}
    write(files / "t.jsonl", chat("c", PRICED | {sc.CACHE_READ_TOKENS: 400, sc.INPUT_REREAD: 600, sc.COST_REREAD: 0.0003} | flow))
    reprice(files)

    assert attributes(files / "o.jsonl", "c")[sc.COST_REREAD] == 0.00048


def test_a_producer_keeps_its_part_of_its_origin(files: Path):
    """By what it cost before: a tool that was half of its origin still is."""
    flow = {
        sc.FLOW_ORIGINS: ["tool:search", "user"],
        sc.FLOW_TOKENS: [800, 200],
        sc.FLOW_COST: [0.0008, 0.0002],
        sc.FLOW_PRODUCERS: [producer("d"), producer("e")],
        sc.FLOW_PRODUCER_TOKENS: [600, 200],
        sc.FLOW_PRODUCER_COST: [0.0006, 0.0002],
    }
    tools = [span(name, "execute_tool", {sc.TOOL_NAME: "search"}) for name in ("d", "e")]
    write(files / "t.jsonl", chat("c", PRICED | flow), *tools)
    reprice(files)

    # 600 and 200 of 800 tokens that cost $0.0016
    assert attributes(files / "o.jsonl", "c")[sc.FLOW_PRODUCER_COST] == (0.0012, 0.0004)


def test_an_unknown_producer_pays_by_its_tokens(files: Path):
    """Its span is not here, so its origin is not known."""
    flow = {
        sc.FLOW_ORIGINS: ["tool:search", "user"],
        sc.FLOW_TOKENS: [800, 200],
        sc.FLOW_COST: [0.0008, 0.0002],
        sc.FLOW_PRODUCERS: [producer("d")],
        sc.FLOW_PRODUCER_TOKENS: [600],
        sc.FLOW_PRODUCER_COST: [0.0006],
    }
    write(files / "t.jsonl", chat("c", PRICED | flow))
    reprice(files)

    # 600 of 1,000 tokens that cost $0.002
    assert attributes(files / "o.jsonl", "c")[sc.FLOW_PRODUCER_COST] == (0.0012,)


def test_agents_spend_what_their_calls_do(files: Path):
    """The difference is added, so that calls that are not in the file stay in the sum."""
    own, subtree = sc.rollup(sc.OWN, "cost_usd"), sc.rollup(sc.SUBTREE, "cost_usd")
    boss = span("a", "invoke_agent", {sc.AGENT_NAME: "boss", own: 0.5, subtree: 0.502})
    helper = span("b", "invoke_agent", {sc.AGENT_NAME: "helper", own: 0.002, subtree: 0.002}, parent="a")
    write(files / "t.jsonl", boss, helper, chat("c", PRICED, parent="b"))
    reprice(files)

    # The call costs $0.002 more.
    assert attributes(files / "o.jsonl", "a")[own] == 0.5
    assert attributes(files / "o.jsonl", "a")[subtree] == 0.504
    assert attributes(files / "o.jsonl", "b")[own] == 0.004


def test_an_agent_is_complete_once_its_calls_have_a_price(files: Path):
    """What counted as incomplete for want of a price no longer does."""
    agent = {sc.AGENT_NAME: "boss", sc.AGENT_INCOMPLETE: 1, sc.rollup(sc.OWN, "calls"): 1, sc.rollup(sc.SUBTREE, "calls"): 1}
    write(files / "t.jsonl", span("a", "invoke_agent", agent), chat("c", UNPRICED, parent="a"))
    reprice(files)

    found = attributes(files / "o.jsonl", "a")
    assert sc.AGENT_INCOMPLETE not in found
    assert (found[sc.rollup(sc.OWN, "cost_usd")], found[sc.rollup(sc.SUBTREE, "cost_usd")]) == (0.004, 0.004)


def test_texts_cost_over_their_life_what_their_reads_cost(files: Path):
    """An agent's dearest texts follow the calls that read them."""
    flow = {sc.FLOW_ORIGINS: ["user", "system"], sc.FLOW_TOKENS: [600, 400], sc.FLOW_COST: [0.0006, 0.0004]}
    messages = {sc.AGENT_MESSAGE_PRODUCERS: ["user", "system"], sc.AGENT_MESSAGE_COST: [0.0012, 0.0008]}
    calls = [chat(name, PRICED | flow, parent="a") for name in ("c", "d")]
    write(files / "t.jsonl", span("a", "invoke_agent", {sc.AGENT_NAME: "boss", sc.rollup(sc.OWN, "cost_usd"): 0.004, **messages}), *calls)
    reprice(files)

    assert attributes(files / "o.jsonl", "a")[sc.AGENT_MESSAGE_COST] == (0.0024, 0.0016)


def test_the_providers_own_price_stays(files: Path):
    """No book knows better what was charged."""
    line = Path(write(files / "t.jsonl", chat("c", PRICED | {sc.PRICE_SOURCE: "provider"}))).read_bytes()
    reprice(files)

    assert (files / "o.jsonl").read_bytes() == line


def test_the_late_end_of_a_call_costs_the_rest(files: Path):
    """The whole is priced, and what the first span costs is taken off."""
    prices = '[[model]]\nmatch = "m-1"\ninput = 2\noutput = 20\nper_request = 0.5\n'
    (files / "p.toml").write_text(prices)
    late = {sc.LATE: True, sc.COST_STATUS: "priced", sc.OUTPUT_TOKENS: 50, sc.COST_OUTPUT: 0.0005, sc.COST_TOTAL: 0.0005}
    write(files / "t.jsonl", chat("c", PRICED), chat("d", late, continues="c"))
    reprice(files)

    # 50 x $20 per million; the fee was paid with the first span
    assert attributes(files / "o.jsonl", "c")[sc.COST_TOTAL] == 0.504
    assert attributes(files / "o.jsonl", "d")[sc.COST_TOTAL] == 0.001


def test_a_write_for_an_hour_is_told_by_what_it_cost(files: Path, capsys: pytest.CaptureFixture[str]):
    """Spans hold one number for both lifetimes, but the list price of one fits alone."""
    # Claude Haiku 4.5 lists $1 input, $1.25 and $2 for writes, $5 output: 1,000 x $2 per million is an hour's.
    claude = {sc.PROVIDER_NAME: "anthropic", sc.REQUEST_MODEL: "claude-haiku-4-5", sc.CACHE_WRITE_TOKENS: 1000, sc.COST_CACHE_WRITE: 0.002}
    (files / "p.toml").write_text('[[model]]\nmatch = "claude-*"\ninput = 2\noutput = 10\ncache_write = 2.5\ncache_write_1h = 4\n')
    write(files / "t.jsonl", chat("c", PRICED | claude | {sc.COST_INPUT: 0.002}))
    reprice(files)

    assert attributes(files / "o.jsonl", "c")[sc.COST_CACHE_WRITE] == 0.004
    assert "lifetime" not in capsys.readouterr().out


def test_says_where_the_span_leaves_a_lifetime_open(files: Path, capsys: pytest.CaptureFixture[str]):
    """No known rate explains what the write cost: it is taken for five minutes."""
    (files / "p.toml").write_text('[[model]]\nmatch = "m-1"\ninput = 2\noutput = 10\ncache_write = 2.5\ncache_write_1h = 4\n')
    write(files / "t.jsonl", chat("c", PRICED | {sc.CACHE_WRITE_TOKENS: 1000, sc.COST_CACHE_WRITE: 0.0017}))
    reprice(files)

    assert attributes(files / "o.jsonl", "c")[sc.COST_CACHE_WRITE] == 0.0025
    assert "1 call where the span does not tell a cache lifetime or a fee" in capsys.readouterr().out


def test_a_fee_that_nothing_explains_stays(files: Path):
    """What was paid for searches is not for free at other prices."""
    write(files / "t.jsonl", chat("c", PRICED | {sc.COST_FEES: 0.01, sc.COST_TOTAL: 0.012}))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    assert (found[sc.COST_FEES], found[sc.COST_TOTAL]) == (0.01, 0.014)


def test_tokens_that_contradict_one_another_are_left_alone(files: Path, capsys: pytest.CaptureFixture[str]):
    """More was read from the cache than at all: there is no bill for that."""
    line = Path(write(files / "t.jsonl", chat("c", PRICED | {sc.CACHE_READ_TOKENS: 2000}))).read_bytes()
    reprice(files)

    assert (files / "o.jsonl").read_bytes() == line
    assert "1 call left alone: no usable tokens on the span." in capsys.readouterr().out


def test_an_agent_whose_calls_lose_their_price_does_not_know_its_cost(files: Path):
    """And says that it is incomplete; a text over its life costs an unknown amount too."""
    (files / "p.toml").write_text('[[model]]\nmatch = "m-2"\ninput = 2\n')
    flow = {sc.FLOW_ORIGINS: ["user"], sc.FLOW_TOKENS: [1000], sc.FLOW_COST: [0.001]}
    messages = {sc.AGENT_MESSAGE_PRODUCERS: ["user"], sc.AGENT_MESSAGE_COST: [0.001]}
    own = sc.rollup(sc.OWN, "cost_usd")
    write(files / "t.jsonl", span("a", "invoke_agent", {own: 0.002, **messages}), chat("c", PRICED | flow, parent="a"))
    reprice(files)

    found = attributes(files / "o.jsonl", "a")
    assert found[sc.AGENT_INCOMPLETE] == 1
    assert not {own, sc.AGENT_MESSAGE_COST} & set(found)


def test_what_came_after_an_agents_end_is_not_in_its_sum(files: Path):
    """Its span was written before."""
    own = sc.rollup(sc.OWN, "cost_usd")
    late = {sc.LATE: True, sc.COST_STATUS: "priced", sc.OUTPUT_TOKENS: 50, sc.COST_OUTPUT: 0.0005, sc.COST_TOTAL: 0.0005}
    agent = span("a", "invoke_agent", {own: 0.002}, end_ns=1_790_000_002_000_000_000)
    write(files / "t.jsonl", agent, chat("c", PRICED, parent="a"))
    write(files / "t.jsonl", chat("d", late, parent="a", continues="c", end_ns=1_790_000_003_000_000_000))
    reprice(files)

    assert attributes(files / "o.jsonl", "a")[own] == 0.004


def test_searches_are_told_by_their_fees(files: Path):
    """Two at the list's cent each are two at another price."""
    claude = {sc.PROVIDER_NAME: "anthropic", sc.REQUEST_MODEL: "claude-haiku-4-5"}
    (files / "p.toml").write_text('[[model]]\nmatch = "claude-*"\ninput = 2\noutput = 20\nweb_search = 0.03\n')
    write(files / "t.jsonl", chat("c", PRICED | claude | {sc.COST_FEES: 0.02, sc.COST_TOTAL: 0.022}))
    reprice(files)

    found = attributes(files / "o.jsonl", "c")
    assert (found[sc.COST_FEES], found[sc.COST_TOTAL]) == (0.06, 0.064)


def test_prices_come_from_the_setting_too(files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """As for the recorder; but what cannot be read is an error, since nobody would see the difference."""
    write(files / "t.jsonl", chat("c", PRICED))
    command = ["reprice", str(files / "t.jsonl"), "--out", str(files / "o.jsonl")]
    monkeypatch.setenv("TOKEN_OTEL_PRICES", str(files / "p.toml"))
    assert main(command) == 0
    assert attributes(files / "o.jsonl", "c")[sc.COST_TOTAL] == 0.004

    monkeypatch.setenv("TOKEN_OTEL_PRICES", str(files / "none.toml"))
    assert main(command) == 2
    assert "none.toml: cannot be read" in capsys.readouterr().err


def test_nothing_else_is_touched(files: Path):
    """Spans of others, metrics and torn lines are copied to the byte."""
    path = files / "t.jsonl"
    write(path, chat("c", PRICED), scope="somebody.else")
    with path.open("a") as file:
        file.write('{"resourceMetrics": [ ]}\n{"resourceSpans": [{"sco\n')
    write(path, chat("d", PRICED))
    reprice(files)

    assert (files / "o.jsonl").read_bytes().splitlines()[:3] == path.read_bytes().splitlines()[:3]


def test_says_what_changed(files: Path, capsys: pytest.CaptureFixture[str]):
    """By model, before and after; and the calls that have no price."""
    other = {sc.REQUEST_MODEL: "m-2"}
    write(files / "t.jsonl", chat("c", PRICED), chat("d", PRICED), chat("e", UNPRICED | other))
    reprice(files)

    assert capsys.readouterr().out.splitlines()[:-1] == [
        "  calls          before           after  model",
        "      2       $0.004000       $0.008000  openai/m-1",
        "      1         unknown         unknown  openai/m-2",
        "      3       $0.004000       $0.008000  all",
        "",
        "3 calls priced anew; the cost of 2 differs.",
        "1 call of openai/m-2 without a price.",
    ]


def test_an_attribute_without_key_and_value_is_none_at_all(files: Path):
    """It is left where it stands."""
    path = Path(write(files / "t.jsonl", chat("c", PRICED)))
    path.write_text(path.read_text("utf-8").replace('"attributes": [', '"attributes": [{},'), "utf-8")

    assert reprice(files) == 0
    assert "{}," in (files / "o.jsonl").read_text("utf-8")


def test_the_new_file_is_named_after_the_old_one(files: Path):
    """Beside it, and plain; a folder's name is refused by who reads it."""
    assert default_out(".").name == ".repriced.jsonl"
    assert default_out(files / "spans.jsonl.gz") == files / "spans.repriced.jsonl"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prices", "{0}/none.toml"], "cannot be read"),
        (["--out", "{0}/t.jsonl"], "is the file that is read"),
        (["--out", "{0}/none/o.jsonl"], "cannot be written"),
        (["--out", "{0}"], "is no file that can be replaced"),
        (["--out", "/dev/stdin"], "is no file that can be replaced"),
    ],
)
def test_bad_input_is_one_sentence(files: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    """The exit code is 2, and the file that is read stays as it is."""
    before = Path(write(files / "t.jsonl", chat("c", PRICED))).read_bytes()

    assert main(["reprice", str(files / "t.jsonl"), *(argument.format(files) for argument in arguments)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert sentence in line
    assert (files / "t.jsonl").read_bytes() == before
    assert sorted(path.name for path in files.iterdir()) == ["p.toml", "t.jsonl"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's own file."""
    pytest.importorskip("langchain")
    file = tmp_path_factory.mktemp("demo") / "t.jsonl"
    command = [sys.executable, str(ROOT / "examples" / "research_team")]
    subprocess.run(command, capture_output=True, check=True, env=os.environ | {"TOKEN_OTEL_FILE": str(file)})
    return file


def test_the_demo_at_its_own_prices_is_the_same_file(demo: Path, files: Path):
    """Every cost comes out as it was, so not one byte differs."""
    assert main(["reprice", str(demo), "--out", str(files / "o.jsonl")]) == 0
    assert (files / "o.jsonl").read_bytes() == demo.read_bytes()


def test_the_demo_at_other_prices_adds_up(demo: Path, files: Path):
    """Twice the price is twice the cost: of the calls, of each origin, and of the agents."""
    (files / "p.toml").write_text("[settings]\nmultiplier = 2\n")
    assert main(["reprice", str(demo), "--prices", str(files / "p.toml"), "--out", str(files / "o.jsonl")]) == 0

    before, after = load(demo), load(files / "o.jsonl")
    assert after.totals.cost_usd == 2 * before.totals.cost_usd
    assert [account.subtree.cost_usd for account in after.accounts] == [2 * account.subtree.cost_usd for account in before.accounts]
    own = [span.attributes.get(sc.rollup(sc.OWN, "cost_usd"), 0.0) for span in read_trace_file(files / "o.jsonl").spans]
    assert sum(Decimal(repr(usd)) for usd in own) == after.totals.cost_usd
    for call in read_trace_file(files / "o.jsonl").spans:
        costs = call.attributes.get(sc.FLOW_COST)
        if isinstance(costs, tuple):
            assert sum(Decimal(repr(usd)) for usd in costs) == Decimal(repr(call.attributes[sc.COST_INPUT]))

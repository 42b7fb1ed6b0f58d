"""What is printed: the tables of the team word by word, and what hostile files may not do to a terminal."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from token_otel import report
from token_otel.otel import semconv as sc
from token_otel.report import MissingExtraError, as_json, words
from token_otel.report.model import Report

pytest.importorskip("rich")

from rich.cells import cell_len
from rich.console import Console


def printed(shown: Report, *, width: int = 100, **options: Any) -> str:
    """What is printed into a file, without the blanks at the ends of lines."""
    out = io.StringIO()
    report.show(shown, Console(file=out, width=width, **options))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def part(text: str, title: str) -> str:
    """One table, without its title."""
    titles = ("Spans", "Agents", "Who read whom", "Context growth", "Dearest messages", "Caching", "Unread outputs", "Total  .*")
    after = text.split(f"\n{title}\n")[1]
    return re.split(rf"\n\n(?:{'|'.join(titles)})\n", after)[0]


def test_the_whole_report(team: Any):
    """At 100 columns, without colours."""
    assert printed(team.report) == snapshot("""\

Spans
What ran, and the tokens and cost of the model calls at and beneath it.
                                   input  cache read  written  output       cost    time
────────────────────────────────────────────────────────────────────────────────────────
trace 1 10000000  conversation c7
team workflow                        920          50        -     360  $0.005350  100 ms
├─ supervisor -> writer              700          50        -     160  $0.002910   59 ms
│  ├─ chat m-1                       100           -        -      20  $0.000400    1 ms
│  ├─ tool ask_researcher            380          50        -     110  $0.001770   36 ms
│  │  └─ researcher                  380          50        -     110  $0.001770   34 ms
│  │     ├─ chat m-1                  80           -        -      10  $0.000260    1 ms
│  │     ├─ tool web                                                                1 ms
│  │     └─ chat m-1                 300          50        -     100  $0.001510    1 ms
│  └─ chat m-1                       220           -        -      30  $0.000740    1 ms
└─ writer                            220           -        -     200  $0.002440   38 ms
   └─ chat m-1                       220           -        -     200  $0.002440    1 ms

trace 2 20000000  conversation c7
team workflow                        500         220        -      50  $0.001104   10 ms
└─ supervisor                        500         220        -      50  $0.001104    8 ms
   └─ chat m-1                       500         220        -      50  $0.001104    1 ms

Agents
Re-read: read by it before. Velocity: reads per token it put out. Subtree: with the agents beneath.
                calls  input  re-read  output  velocity       cost    subtree
─────────────────────────────────────────────────────────────────────────────
team workflow       -      -        -       -         -          -  $0.006454
  supervisor        3    820    39.0%     100       1.8  $0.002244  $0.004014
    researcher      2    380    21.1%     110       2.8  $0.001770
  writer            1    220     0.0%     200       1.0  $0.002440

all                 6  1,420    28.2%     410       1.7  $0.006454

Who read whom
A column is an agent's billed input, split by who produced it; a row says who read it, at what cost.
produced by    supervisor  researcher     writer        all   share
───────────────────────────────────────────────────────────────────
researcher            200          10        100        310   21.8%
                $0.000220   $0.000020  $0.000200  $0.000440
system prompt         180         100         30        310   21.8%
                $0.000252   $0.000110  $0.000060  $0.000422
tool web                -         210          -        210   14.8%
                            $0.000420             $0.000420
writer                200           -          -        200   14.1%
                $0.000400                         $0.000400
supervisor             70          60         50        180   12.7%
                $0.000104   $0.000120  $0.000100  $0.000324
user                  130           -         40        170   12.0%
                $0.000188              $0.000080  $0.000268
unexplained            40           -          -         40    2.8%
                $0.000080                         $0.000080

billed input          820         380        220      1,420  100.0%
                $0.001244   $0.000670  $0.000440  $0.002354

Context growth
Input of an agent's first, last and largest call; what it grew by; new and re-read tokens and USD.
                                                    calls  first  last  peak        new    re-read
──────────────────────────────────────────────────────────────────────────────────────────────────
conversation c7 velocity 1.5                            6                         1,020        400
                                                                              $0.002040  $0.000314
  supervisor                                            3    100   500   500        500        320
  +300 agents, +50 self, +40 unexplained, +10 user                            $0.001000  $0.000244
  researcher                                            2     80   300   300        300         80
  +210 tool results, +10 self                                                 $0.000600  $0.000070
  writer                                                1    220   220   220        220          -
                                                                              $0.000440

Dearest messages
Paid for at every read, first and again. Face: the price of its output; else of one uncached read.
                                             face  reads      first      again  all reads  x face
─────────────────────────────────────────────────────────────────────────────────────────────────
researcher answer b2000000, trace 1           100  2 + 1        200        100        300    0.4x
read by supervisor, writer              $0.001000         $0.000400  $0.000020  $0.000420
tool web c1000000, trace 1                    210  1 + 0        210          -        210    1.0x
read by researcher                      $0.000420         $0.000420             $0.000420
writer answer d1000000, trace 1               200  1 + 0        200          -        200    0.2x
read by supervisor                      $0.002000         $0.000400             $0.000400
system prompt to supervisor                    60  1 + 2         60        120        180    2.1x
read by supervisor                      $0.000120         $0.000120  $0.000132  $0.000252
supervisor tool call a1000000, trace 1         20  3 + 2         70         50        120    1.0x
read by researcher, supervisor, writer  $0.000200         $0.000140  $0.000064  $0.000204
user to supervisor                             40  1 + 2         40         90        130    2.4x
read by supervisor                      $0.000080         $0.000080  $0.000108  $0.000188
supervisor answer a2000000, trace 1            30  2 + 0         60          -         60    0.4x
read by writer, supervisor              $0.000300         $0.000120             $0.000120
system prompt to researcher                    50  1 + 1         50         50        100    1.1x
read by researcher                      $0.000100         $0.000100  $0.000010  $0.000110
user to writer                                 40  1 + 0         40          -         40    1.0x
read by writer                          $0.000080         $0.000080             $0.000080
system prompt to writer                        30  1 + 0         30          -         30    1.0x
read by writer                          $0.000060         $0.000060             $0.000060

Caching
Saved: against no cache. Paid again: was cached, but read again without (broken or expired).
            input  from cache  share  written      saved  paid again  cost
──────────────────────────────────────────────────────────────────────────
supervisor    820         220  26.8%        -  $0.000396           -     -
researcher    380          50  13.2%        -  $0.000090           -     -

all         1,420         270  19.0%        -  $0.000486           -     -

Total  6 model calls, 2 traces, 1 conversation
       input   1,420 tokens
               270 read from a cache, 0 written to it, 28.2% re-read
       output  410 tokens
               velocity 1.5: reads per token that agents and tools put out
               50 in 1 final answer, read by their user
       cost    $0.006454
               $0.002040 to read, $0.000314 to re-read, $0.004100 to put out
               caching saved $0.000486
       14 spans, links: 2 INFORMED_BY
""")


def test_80_columns_cut_names_and_no_number(team: Any):
    """Where there is no room, names give way."""
    narrow = printed(team.report, width=80)

    assert max(map(len, narrow.splitlines())) <= 80
    for number in ("$0.006454", "1,420", "$0.004014", "$0.000420", "$0.000486"):
        assert number in narrow


def test_json_has_the_numbers_of_the_tables(team: Any):
    """The same figures, money as texts."""
    data = as_json(team.report)
    text = printed(team.report)

    assert json.loads(json.dumps(data)) == data
    assert data["totals"]["cost_usd"] == "0.006454"
    assert f"cost    ${data['totals']['cost_usd']}\n" in text
    for account in data["accounts"]:
        assert f"${Decimal(account['subtree']['cost_usd']):.6f}" in part(text, "Agents")
    for cell in data["matrix"]["cells"]:
        assert f"{cell['tokens']:,}" in part(text, "Who read whom")
        assert f"${Decimal(cell['cost_usd']):.6f}" in part(text, "Who read whom")
    assert data["messages"][0]["producer"] == [f"{1:0<32}", f"{'b2':0<16}"]
    assert data["messages"][0]["cost_usd"] == "0.00042"
    assert data["traces"][0]["nodes"][1]["handoffs"] == ["writer"]


def test_small_amounts_stay_decimal():
    """Neither a power of ten nor a rounded 0 is printed for what is not 0."""
    assert words.usd(Decimal("1E-9")) == "<$0.000001"
    assert words.usd(Decimal("-1E-9")) == "-<$0.000001"
    assert words.usd(Decimal("0.001234")) == "$0.001234"
    assert words.usd(Decimal("1234.5"), 2) == "$1,234.50"
    assert words.usd(Decimal("-0.5"), 2) == "-$0.50"
    assert words.exact_usd(Decimal("1E-9")) == "$0.000000001"
    assert words.exact_usd(Decimal("1234.5")) == "$1,234.50"
    assert words.exact_usd(Decimal(0)) == "$0.00"
    assert [words.places([Decimal(usd)]) for usd in (0, 9, 10, 1000)] == [6, 6, 4, 2]
    assert [words.seconds(s) for s in (0.0012, 1.234, 12.34, 1234.5)] == ["1 ms", "1.23 s", "12.3 s", "1,234 s"]


def test_what_is_not_known_is_said(spans: Any):
    """Unreported, unpriced, estimated, refused, local, cached, cancelled: each in words, none as 0."""
    spans.agent("1", None, "a", attributes={sc.rollup("own", "calls"): 9})
    spans.call("a", "1", "a", at=1, attributes={sc.USAGE_STATUS: "unreported", sc.ESTIMATED_INPUT: 1200, sc.ESTIMATED_OUTPUT: 3})
    spans.call("b", "1", "a", at=2, attributes={sc.INPUT_TOKENS: 50, sc.FLOW_ORIGINS: ("user",), sc.FLOW_TOKENS: (50,)})
    spans.call("c", "1", "a", at=3, attributes={sc.INPUT_TOKENS: 5, sc.USAGE_STATUS: "estimated", sc.COST_TOTAL: 0.5})
    spans.call("d", "1", "a", at=4, attributes={sc.RUN_STATUS: "error", sc.ERROR_TYPE: "RateLimitError"})
    spans.call("e", "1", "a", at=5, attributes={sc.INPUT_TOKENS: 6, sc.COST_STATUS: "local"})
    spans.call("f", "1", "a", at=6, attributes={sc.LOCAL_CACHE: True, sc.SAVED_COST: 0.25})
    spans.call("g", "1", "a", at=7, attributes={sc.RUN_STATUS: "cancelled", sc.OUTPUT_TOKENS: 7, sc.COST_TOTAL: 0.1})
    spans.add("h", "1", "step", at=8, scope="http")
    text = printed(spans.report)

    assert part(text, "Spans") == snapshot("""\
What ran, and the tokens and cost of the model calls at and beneath it.
                                   input  cache read  written  output         cost  time
────────────────────────────────────────────────────────────────────────────────────────
trace 1 10000000  conversation c7
a                                     61           -        -       7  ≥ $0.600000  1 ms
├─ chat m-1                            ?           ?        ?       ?   unreported  1 ms
├─ chat m-1                           50           -        -       -     unpriced  1 ms
├─ chat m-1                            5           -        -       -    $0.500000  1 ms
├─ chat m-1 error RateLimitError       -           -        -       -            -  1 ms
├─ chat m-1                            6           -        -       -        local  1 ms
├─ chat m-1                            -           -        -       -       cached  1 ms
└─ chat m-1 cancelled                  -           -        -       7    $0.100000  1 ms\
""")
    assert part(text, "Dearest messages").count("unpriced") == 1
    assert text[text.index("Total") :] == snapshot("""\
Total  6 model calls, 1 trace, 1 conversation
       input   61 tokens
               0 read from a cache, 0 written to it, - re-read
       output  7 tokens
               7 in 1 output, read by nobody here
       cost    at least $0.60
       1 call unreported, in no sum: by our estimate 1,200 in, 3 out
       1 call unpriced: the tokens are in the sums, the cost is not
       1 call estimated: no usage was reported, the sums hold our own count
       1 call to local models, without a price per token
       1 answer from the framework's own cache, $0.25 saved
       1 call cancelled: billed with what was seen
       1 call failed
       3 calls counted by agents, but their spans are not in these files
       8 spans, no links, 1 span of others
""")


def test_a_cut_array_is_at_least(spans: Any):
    """A call that names 16 producers may have read a 17th, which another call names."""
    spans.call("c", None, "a", reads={"self": (34, 68)}, of={spans.ref(f"{i:x}", "9"): (2, 4) for i in range(16)}, output=(1, 1))
    spans.call("d", None, "b", at=1, reads={"agent:a": (2, 70)}, of={spans.ref("f" * 16, "9"): (2, 70)}, output=(1, 1))
    first, below = part(printed(spans.report), "Dearest messages").splitlines()[3:5]

    assert re.fullmatch(r"a text ffffffff, trace 90000000 not here +2 +1 \+ 0 +2 +- +2 +-", first)
    assert "at least" in below


def test_origins_that_were_cut_are_explained(spans: Any):
    """The row of the rest tells that the others are lower bounds."""
    spans.call("c", None, "a", reads={"user": (30, 60), "other": (5, 10)}, output=(1, 1))

    assert "every row but `other origins` is at least that" in part(printed(spans.report), "Who read whom")


def test_names_cannot_steer_the_terminal(spans: Any):
    """Brackets are no markup, control characters no commands, and a long name is cut in its middle."""
    spans.agent("1", None, "[red]boss[/red]")
    spans.tool("t", "1", "\x1b[2Jwipe\r\n\u202eevil", at=1)
    spans.agent("2", "1", "x" * 500 + "-the-end", at=2)
    spans.call("c", "2", "x" * 500 + "-the-end", at=3, reads={"agent:[red]boss[/red]": (3, 6), "tool:[/]": (1, 2)}, output=(1, 1))
    text = printed(spans.report)

    assert "[red]boss[/red]" in part(text, "Spans")
    assert "[red]boss[/red]" in part(text, "Who read whom")
    assert "\N{REPLACEMENT CHARACTER}[2Jwipe" in text
    assert not [char for char in text if not char.isprintable() and char != "\n"]
    assert max(map(len, text.splitlines())) <= 100
    assert "xxx\N{HORIZONTAL ELLIPSIS}" in text
    assert "-the-end" in text


def test_wide_names_are_measured_in_cells(spans: Any):
    """A name in Chinese takes two cells a character."""
    spans.agent("1", None, "\u7814\u7a76" * 60)

    assert words.shown("\u7814\u7a76\u7814\u7a76", 6) == "\u7814\N{HORIZONTAL ELLIPSIS}\u7a76"
    assert words.shown("abc", 0) == ""
    assert words.shown("a\u0301" * 3, 3) == "a\u0301" * 3
    assert "\N{HORIZONTAL ELLIPSIS}" in printed(spans.report)


def test_too_many_readers_share_a_column(spans: Any):
    """What does not fit beside the others is added up, and the sums hold."""
    for i in range(12):
        spans.call(f"{i:x}", None, f"agent-number-{i}", reads={"user": (1000 + i, 10)}, output=(1, 1))
    table = part(printed(spans.report), "Who read whom")

    header = table.splitlines()[1]
    others = re.search(r"(\d+) others", header)
    assert others is not None
    assert header.count("agent-num") + int(others[1]) == 12
    assert max(map(len, table.splitlines())) <= 100
    # 12 x 1000 + 66
    assert "12,066" in table


def test_too_many_producers_share_a_row(spans: Any):
    """The largest 15 are named."""
    for i in range(20):
        spans.call(f"{i:02d}", None, "a", reads={f"tool:t{i}": (100 + i, 10)}, output=(1, 1))
    table = part(printed(spans.report), "Who read whom")

    # 100 + 101 + 102 + 103 + 104
    assert re.search(r"5 other producers +510", table)


def test_too_many_spans_leave_the_dearest_traces(spans: Any):
    """A file of a whole day shows what cost most, and says what it left out."""
    for trace in range(1, 5):
        for i in range(90):
            spans.call(f"{i:02d}", None, "a", trace=str(trace), at=i, reads={"user": (1, trace)}, output=(1, 1))
    table = part(printed(spans.report), "Spans")

    assert [line.split()[1] for line in table.splitlines() if line.startswith("trace")] == ["3", "4"]
    # 2 x (90 + 1)
    assert table.endswith("\n182 more lines not shown; --json has everything.")


def test_deep_trees_keep_their_names(spans: Any):
    """The guide is cut, the name stays."""
    for i in range(1, 60):
        spans.add(f"{i:02d}", f"{i - 1:02d}", "step", {}, at=i)

    assert part(printed(spans.report), "Spans").splitlines()[-1].split()[:3] == ["…", "└─", "step"]


def test_an_old_terminal_gets_plain_lines(team: Any):
    """Where there are no boxes, the tree is drawn with what there is."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    report.show(team.report, Console(file=out, width=100))
    out.seek(0)
    text = out.read()

    assert "|  |- chat m-1" in text


def test_nothing_of_ours(spans: Any):
    """A trace of other instrumentations is read, and that none of it is ours is said."""
    spans.add("1", None, "GET", scope="http")

    assert printed(spans.report) == snapshot("""\

Total  0 model calls, 0 traces
       input   0 tokens
               0 read from a cache, 0 written to it, - re-read
       output  0 tokens
       cost    $0.00
       no span of token-otel is in these files
       0 spans, no links, 1 span of others
""")


def test_prints_at_100_columns_into_a_file(team: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Without a terminal there is no width to keep to; COLUMNS sets one, down to 80."""
    monkeypatch.delenv("COLUMNS", raising=False)
    report.show(team.report)
    wide = capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "20")
    report.show(team.report)

    assert "\n".join(line.rstrip() for line in wide.splitlines()) + "\n" == printed(team.report)
    assert max(map(len, capsys.readouterr().out.splitlines())) == 80


def test_a_missing_extra_is_one_sentence(team: Any, monkeypatch: pytest.MonkeyPatch):
    """Without rich there are no tables, and the remedy is named; JSON needs nothing."""
    without(monkeypatch, "rich")

    with pytest.raises(MissingExtraError, match=re.escape('token-otel report needs rich: pip install "token-otel[report]"')):
        report.show(team.report)
    assert as_json(team.report)["totals"]["calls"] == 6


def test_another_missing_module_is_not_blamed_on_rich(team: Any, monkeypatch: pytest.MonkeyPatch):
    """A broken installation is not mended by an extra."""
    without(monkeypatch, "token_otel.report.words")

    with pytest.raises(ModuleNotFoundError, match=r"token_otel\.report\.words"):
        report.show(team.report)


def without(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Make a module impossible to import, and what has imported it forgotten."""
    monkeypatch.delattr(report, "tables", raising=False)
    for loaded in [loaded for loaded in sys.modules if loaded.startswith("token_otel.report.")]:
        if loaded.rpartition(".")[2] in ("tables", "words", "layout") or loaded.endswith("_table"):
            monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.delattr(report, name.rpartition(".")[2], raising=False)
    monkeypatch.setitem(sys.modules, name, None)


def test_reading_needs_no_rich(tmp_path: Path, team: Any):
    """The extra is for the tables alone."""
    code = "import sys; sys.modules['rich'] = None; from token_otel import report; print(report.load(sys.argv[1]).totals.cost_usd)"
    path = team.write(tmp_path / "spans.jsonl")
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)

    assert done.stdout == "0.006454\n"


def test_several_files_are_one(tmp_path: Path, team: Any):
    """Two replicas, or two days: joined by trace, each span once, torn lines counted."""
    first, second = type(team)(), type(team)()
    first.records, second.records = team.records[:8], team.records[5:]
    paths = [first.write(tmp_path / "a"), second.write(tmp_path / "b")]
    with paths[1].open("a") as file:
        file.write('{"resourceSpans": [')
    joined = report.load(paths)

    assert report.load(paths[0]).torn_lines == 0
    assert joined.torn_lines == 1
    assert report.load([*paths, str(paths[1])]) == joined
    assert joined.totals == team.report.totals
    assert joined.matrix == team.report.matrix
    assert "1 line broken off: their spans are missing" in printed(joined)


NAME = st.text(max_size=200)
ORIGIN = st.one_of(NAME, NAME.map("agent:{}".format), NAME.map("tool:{}".format))
CALL = st.tuples(NAME, st.dictionaries(ORIGIN, st.tuples(st.integers(0, 2**58), st.integers(0, 2**80)), max_size=20))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(CALL, max_size=8))
def test_any_names_and_numbers_are_printed(new_spans: Any, drawn: Any):
    """Whatever stands in a file is printed on lines of 100 columns, without a control character."""
    spans = new_spans()
    for number, (agent, reads) in enumerate(drawn):
        spans.agent(f"a{number}", f"a{number - 1}", agent, at=number)
        spans.call(f"c{number}", f"a{number}", agent, at=number, reads=reads, output=(1, 1))
    text = printed(spans.report)

    assert not [char for char in text if not char.isprintable() and char != "\n"]
    assert max(map(cell_len, text.splitlines())) <= 100

"""`FlowBook`: from a prompt and its bill to shares; new and re-read; the output's parts."""

from decimal import Decimal

import pytest

from token_otel import Usage
from token_otel.events import Media, Part
from token_otel.flow.book import FlowBook, OutputSplit
from token_otel.flow.producer import Producer
from token_otel.flow.split import Share
from token_otel.prices import Rates, Tariff, cost_of
from token_otel.prices.cost import UNPRICED

MODEL = "nobody-knows"  # factor 1, 4 tokens a message, hidden 3 without tools and 20 with


def words(tokens: int) -> str:
    """A text of so many tokens."""
    return "hello" + " hello" * (tokens - 1)


@pytest.fixture
def flow() -> FlowBook:
    return FlowBook(1 << 20)


def shares(flow: FlowBook, parts: list[Part], usage: Usage, *, reader: str = "planner", conversation: str = "c") -> tuple[Share, ...]:
    return flow.split(flow.read(tuple(parts), reader, conversation), usage, UNPRICED, MODEL)[0].shares


def tokens(split: tuple[Share, ...]) -> list[tuple[str, bool, int]]:
    return [(share.origin, share.new, share.tokens) for share in split]


def test_a_bill_by_hand(flow: FlowBook):
    """A system prompt of 96 tokens, a question of 46 and an answer of our own of 146, billed at 303, 100 of them cached."""
    answer = Part(kind="assistant", text=words(146))
    flow.produced("c", Producer("agent", "planner"), [answer])
    usage = Usage(input=303, output=0, cache_read=100)
    rates = Rates(input=Decimal(3), cache_read=Decimal("0.3"))
    cost = cost_of(usage, Tariff(steps=((0, rates),), source="t", version="1", model="m"))
    parts = (Part(kind="system", text=words(96)), Part(kind="user", text=words(46)), answer)
    found, method = flow.split(flow.read(parts, "planner", "c"), usage, cost, MODEL)
    split = found.shares

    # 4 tokens a message: 100 + 50 + 150 = 300, and 3 hidden make 303, as billed. The bill is split 100 : 50 : 150 of 303:
    # 101, 50.5 and 151.5; the first 100 are read from the cache, so of the system prompt's 101 one is fresh.
    assert [(share.origin, share.cache_read, share.fresh) for share in split] == [("system", 100, 1), ("user", 0, 51), ("self", 0, 151)]
    assert [share.cost_usd for share in split] == [
        Decimal("0.000033"),  # 100 x $0.30 + 1 x $3
        Decimal("0.000153"),  # 51 x $3
        Decimal("0.000453"),  # 151 x $3
    ]
    assert method == "ids+text+o200k/1"


def test_the_hidden_preamble_belongs_to_the_tools(flow: FlowBook):
    """It lies between the schemas and what follows."""
    parts = [Part(kind="tools", text=words(100)), Part(kind="user", text=words(96))]

    # schemas 100, hidden 20, question 96 + 4: 220, as billed
    assert tokens(shares(flow, parts, Usage(input=220, output=0))) == [("tools", True, 120), ("user", True, 100)]


def test_the_preamble_of_a_prompt_of_schemas_alone(flow: FlowBook):
    """It comes last there."""
    assert tokens(shares(flow, [Part(kind="tools", text=words(100))], Usage(input=120, output=0))) == [("tools", True, 120)]


def test_the_preamble_is_new_to_each_reader_once(flow: FlowBook):
    """Other schemas bring the same preamble again; a call without tools brings none."""
    plain = [Part(kind="user", text=words(96))]
    shares(flow, plain, Usage(input=103, output=0))
    first = shares(flow, [Part(kind="tools", text=words(100)), *plain], Usage(input=220, output=0))
    second = shares(flow, [Part(kind="tools", text="other " + words(99)), *plain], Usage(input=220, output=0))

    assert tokens(first) == [("tools", True, 120), ("user", False, 100)]
    assert sorted(tokens(second)) == [("tools", False, 20), ("tools", True, 100), ("user", False, 100)]


def test_outside_the_band_the_rest_is_unexplained(flow: FlowBook):
    """Not smeared over what was seen, and new every time."""
    parts = [Part(kind="user", text=words(96))]

    # expected 100 + 3; 897 more than that: the bill is split 100 : 897 of 1000
    for new in (True, False):
        assert tokens(shares(flow, parts, Usage(input=1000, output=0))) == [("user", new, 100), ("unexplained", True, 900)]


def test_a_model_teaches_its_tokenizer(flow: FlowBook):
    """After some bills of 1.2 times the count, as much is expected of the next; long texts are counted in time."""
    for size in (100, 900, 300, 2000) * 5:
        flow.counter.count(words(size - 4))
        shares(flow, [Part(kind="user", text=words(size - 4))], Usage(input=round(1.2 * size), output=0))
    flow.counter.count(words(996))
    read = flow.read((Part(kind="user", text=words(996)),), "planner", "c")

    estimate, _ = flow.estimate(read, [], MODEL)
    assert estimate == pytest.approx(1200, rel=0.02)


def test_a_text_is_new_to_each_agent_once(flow: FlowBook):
    """Once the call that first read it is posted."""
    parts = [Part(kind="user", text=words(96))]
    waiting = flow.read(tuple(parts), "planner", "c")

    assert tokens(shares(flow, parts, Usage(input=103, output=0))) == [("user", True, 103)]
    assert tokens(shares(flow, parts, Usage(input=103, output=0))) == [("user", False, 103)]
    assert tokens(shares(flow, parts, Usage(input=103, output=0), reader="researcher")) == [("user", True, 103)]
    assert tokens(shares(flow, parts, Usage(input=103, output=0), conversation="d")) == [("user", True, 103)]
    # A parallel call that began before the first was posted comes second in the order of posting.
    assert tokens(flow.split(waiting, Usage(input=103, output=0), UNPRICED, MODEL)[0].shares) == [("user", False, 103)]


def test_the_same_words_twice_in_one_prompt_are_both_new(flow: FlowBook):
    """And both re-read in the next; a third is new again."""
    twice = [Part(kind="user", text=words(96))] * 2

    assert tokens(shares(flow, twice, Usage(input=203, output=0))) == [("user", True, 203)]
    assert tokens(shares(flow, [*twice, twice[0]], Usage(input=303, output=0))) == [("user", False, 202), ("user", True, 101)]


def test_the_same_message_twice_in_one_prompt_is_new_twice(flow: FlowBook):
    """Nothing has been read before the first call that reads it."""
    twice = [Part(kind="user", text=words(96), message_id="m1")] * 2

    assert tokens(shares(flow, twice, Usage(input=203, output=0))) == [("user", True, 203)]


def test_external_words_keep_their_ids(flow: FlowBook):
    """For whoever joins the spans of two processes."""
    parts = [Part(kind="assistant", text=words(96), message_id="m1"), Part(kind="assistant", text=words(96))]
    split = shares(flow, parts, Usage(input=203, output=0))

    assert [(share.origin, share.external_id, share.tokens) for share in split] == [("external", "m1", 102), ("external", None, 101)]


def test_a_long_text_that_is_not_counted_yet_is_weighed_by_its_length(flow: FlowBook):
    """At the tokens per character of the rest, and the method says so."""
    counted, waiting = words(1000), "hallo" + " hallo" * 999  # 5,999 characters both
    flow.counter.count(counted)
    reading = flow.read((Part(kind="system", text=counted), Part(kind="user", text=waiting)), "planner", "c")
    found, method = flow.split(reading, Usage(input=2011, output=0), UNPRICED, MODEL)
    split = found.shares

    assert method == "ids+text+o200k/1+bytes"
    assert tokens(split) == [("system", True, 1006), ("user", True, 1005)]


def test_media_weigh_what_their_size_costs(flow: FlowBook):
    """280 x 56 pixels are 10 x 2 patches of 28 pixels."""
    parts = [Part(kind="user", text=words(11)), Part(kind="media", media=Media(kind="image", width=280, height=56), opens=False)]

    # 11 + 4 and 20: 35, among which 3 hidden are spread: 16.3 and 21.7
    assert tokens(shares(flow, parts, Usage(input=38, output=0))) == [("user", True, 16), ("media", True, 22)]


@pytest.mark.parametrize(
    ("output", "usage", "split"),
    [
        ([Part(kind="assistant", text=words(10))], Usage(output=12), OutputSplit(12, 0, 0)),
        ([Part(kind="tool_call", text=words(10))], Usage(output=12), OutputSplit(0, 12, 0)),
        ([], Usage(output=12), OutputSplit(12, 0, 0)),
        ([], Usage(output=12, reasoning=5), OutputSplit(7, 0, 5)),
        ([Part(kind="reasoning", text=words(10))], Usage(output=12), OutputSplit(0, 0, 12)),
        ([Part(kind="reasoning", text=words(10))], Usage(output=12, reasoning=12), OutputSplit(0, 0, 12)),
        # 30 : 10 of 80
        ([Part(kind="assistant", text=words(30)), Part(kind="tool_call", text=words(10))], Usage(output=80), OutputSplit(60, 20, 0)),
        # reported reasoning is taken as it is: 30 : 10 of 100 - 20
        (
            [
                Part(kind="reasoning", text=words(7)),
                Part(kind="assistant", text=words(30)),
                Part(kind="tool_call", text=words(10)),
            ],
            Usage(output=100, reasoning=20),
            OutputSplit(60, 20, 20),
        ),
        # unreported, it is weighed with the rest: 10 : 30 : 10 of 100
        (
            [
                Part(kind="reasoning", text=words(10)),
                Part(kind="assistant", text=words(30)),
                Part(kind="tool_call", text=words(10)),
            ],
            Usage(output=100),
            OutputSplit(60, 20, 20),
        ),
        (
            [Part(kind="assistant", text=words(2)), Part(kind="media", text="", media=Media(kind="image"))],
            Usage(output=12),
            OutputSplit(12, 0, 0),
        ),
        ([], Usage(output=0), OutputSplit(0, 0, 0)),
    ],
)
def test_an_output_is_split_by_kind(flow: FlowBook, output: list[Part], usage: Usage, split: OutputSplit):
    """Text, tool call arguments, reasoning: they sum to what was reported."""
    assert flow.split_output(output, usage) == split


def test_an_output_of_one_kind_is_not_counted(flow: FlowBook):
    """It takes everything, whatever its size."""
    text = words(500)
    flow.split_output([Part(kind="assistant", text=text), Part(kind="assistant", text="and more of it")], Usage(output=500))

    assert flow.counter.known(text) is None


def test_a_long_output_is_not_counted_in_the_callback(flow: FlowBook):
    """The span must end now: its length has to do."""
    text = words(1000)
    split = flow.split_output([Part(kind="assistant", text=text), Part(kind="tool_call", text=words(500))], Usage(output=1500))

    assert flow.counter.known(text) is None
    assert split.text + split.tool_call == 1500


def test_each_provider_teaches_its_own(flow: FlowBook):
    """A gateway that adds a preamble to a model says nothing of the model elsewhere."""
    for size in (100, 300, 200, 340) * 5:
        reading = flow.read((Part(kind="user", text=words(size - 4)),), "planner", "c")
        flow.split(reading, Usage(input=round(1.2 * size), output=0), UNPRICED, MODEL, "gateway")
    reading = flow.read((Part(kind="user", text=words(296)),), "planner", "c")

    assert flow.estimate(reading, [], MODEL, "gateway")[0] == pytest.approx(360, rel=0.03)
    assert flow.estimate(reading, [], MODEL, "openai")[0] == 303


@pytest.mark.parametrize(
    ("model", "parts", "input_tokens"),
    [
        # 10 + 4 framing + 3 hidden
        ("gpt-4o", [Part(kind="user", text=words(10))], 17),
        # a schema of 0.7 x 100 - 14 and 20 hidden; 10 + 4
        ("gpt-4o", [Part(kind="tools", text=words(100), opens=False), Part(kind="user", text=words(10))], 90),
        # 0.92 x 100 - 25 and 18 hidden, told flat; 10 + 4
        ("gpt-5", [Part(kind="tools", text=words(100), opens=False), Part(kind="user", text=words(10))], 99),
        # a schema that is all braces still has a name: 0.2 x 20, not 0.92 x 20 - 25; 18 hidden; 10 + 4
        ("gpt-5", [Part(kind="tools", text=words(20), opens=False), Part(kind="user", text=words(10))], 36),
        # 10 + 4; a call of 20 + 4 + 18 and its result of 30 + 4 + 18: 1.1 x 108, and 2.3 hidden
        (
            "claude-sonnet-4-5",
            [Part(kind="user", text=words(10)), Part(kind="tool_call", text=words(20)), Part(kind="tool_result", text=words(30))],
            121,
        ),
    ],
)
def test_an_estimate_of_a_prompt_by_hand(flow: FlowBook, model: str, parts: list[Part], input_tokens: int):
    """Text, framing of messages and calls, schemas, and what the provider hides."""
    assert flow.estimate(flow.read(tuple(parts), "planner", "c"), [], model) == (input_tokens, None)


def test_functions_are_told_by_their_form(flow: FlowBook):
    """As Chat Completions tells them: `{"function":{...},"type":"function"}`."""
    nested, flat = '{"type":"function","function":{"name":"f"}}', '{"type":"function","name":"f"}'

    assert flow.read((Part(kind="tools", text=nested),), "planner", "c").functions
    assert not flow.read((Part(kind="tools", text=flat),), "planner", "c").functions


def test_an_estimate_adds_what_is_hidden(flow: FlowBook):
    """100 counted and 3 hidden; 50 written."""
    reading = flow.read((Part(kind="user", text=words(96)),), "planner", "c")

    assert flow.estimate(reading, [Part(kind="assistant", text=words(50))], MODEL) == (103, 50)


def test_a_reading_without_its_texts_weighs_the_same(flow: FlowBook):
    """What a run that was cut keeps until its real end comes."""
    parts = (
        Part(kind="tools", text=words(100)),
        Part(kind="user", text=words(96), opens=False),
        Part(kind="media", media=Media(kind="image")),
    )
    reading = flow.read(parts, "planner", "c")
    before = flow.estimate(reading, [], MODEL)
    flow.weighed(reading)

    assert all(item.part.text == "" for item in reading.reads)
    assert flow.estimate(reading, [], MODEL) == before


def test_a_text_once_counted_is_not_handed_out_again(flow: FlowBook):
    """Short or long; an empty one wants no counting."""
    short, long = Part(kind="user", text="a" * 2048), Part(kind="user", text="b" * 2049)

    assert flow.uncounted([short, long, Part(kind="user", text="")]) == [short.text, long.text]
    for _ in flow.counter.count_steps([long.text]):
        pass
    assert flow.uncounted([short, long]) == [short.text]


def test_what_models_teach_is_bounded(flow: FlowBook):
    """A program that makes up models costs no memory."""
    reading = flow.read((), "planner", "c")
    for number in range(2_000):
        flow.split(reading, Usage(input=1), UNPRICED, f"model-{number}")

    assert len(flow._calibrations) <= 1024  # pyright: ignore[reportPrivateUsage]


def test_an_output_that_nobody_saw_is_not_estimated():
    """A call that was cut by its parent leaves no text: its output is unknown, not 0."""
    book = FlowBook(1 << 20)
    reading = book.read((Part(kind="user", text="How deep is the river at mile nine?"),), "pilot", "c")

    assert book.estimate(reading, (), "gpt-5")[1] is None
    assert book.estimate(reading, (Part(kind="assistant", text="Nine feet."),), "gpt-5")[1] is not None

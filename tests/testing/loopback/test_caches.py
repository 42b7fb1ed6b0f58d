"""The caches of the loopback providers, and how they lie along the pieces."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel.testing.loopback.anthropic_prompt import messages_prompt
from token_otel.testing.loopback.caches import AutomaticCache, ExplicitCache
from token_otel.testing.loopback.openai_prompt import chat_prompt
from token_otel.testing.loopback.prompts import BadRequest, Cached, Prompt, truths

EPHEMERAL = {"type": "ephemeral"}
HOUR = {"type": "ephemeral", "ttl": "1h"}
LONG = "word " * 1_500


class Clock:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def chat(*texts: str) -> Prompt:
    return chat_prompt({"messages": [{"role": "user", "content": text} for text in texts]})


def claude(*blocks: dict[str, Any], **body: Any) -> Prompt:
    return messages_prompt({"messages": [{"role": "user", "content": list(blocks)}], **body})


def block(text: str, control: dict[str, str] | None = None) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"cache_control": control} if control else {})}


def test_the_automatic_cache_reads_in_steps_of_128():
    """1,500 words are 1,501 tokens or so: eleven steps of 128."""
    cache = AutomaticCache()

    assert cache.settle("gpt-5", chat(LONG)) == Cached(read=0)
    assert cache.settle("gpt-5", chat(LONG, "more")) == Cached(read=1_408)
    assert cache.settle("gpt-4o", chat(LONG)) == Cached(read=0)


def test_the_automatic_cache_begins_at_1024():
    """A prompt of 1,023 tokens is not cached, one of 1,024 is."""
    cache = AutomaticCache()
    # 3 + role 1 + content + 3 to reply
    for words, read in ((1_016, 0), (1_017, 1_024)):
        prompt = chat(" a" * words)
        assert prompt.tokens == words + 7
        cache.settle("gpt-5", prompt)

        assert cache.settle("gpt-5", prompt) == Cached(read=read)


def test_the_automatic_cache_matches_any_earlier_prompt():
    """Not only the last one."""
    cache = AutomaticCache()
    for text in (LONG, "other " * 1_500):
        cache.settle("gpt-5", chat(text))

    assert cache.settle("gpt-5", chat(LONG, "x")).read == 1_408


def test_reads_what_it_wrote_until_it_expires():
    """Five minutes, anew with each read."""
    clock = Clock()
    cache = ExplicitCache(clock)
    prompt = claude(block(LONG, EPHEMERAL), block("tail"))
    prefix = len(prompt.pieces[0].tokens)

    assert cache.settle("m", prompt) == Cached(write_5m=prefix)
    clock.now = 299
    assert cache.settle("m", prompt) == Cached(read=prefix)
    clock.now = 299 + 299
    assert cache.settle("m", prompt) == Cached(read=prefix)
    clock.now = 299 + 299 + 301
    assert cache.settle("m", prompt) == Cached(write_5m=prefix)
    assert cache.settle("another", prompt) == Cached(write_5m=prefix)


def test_an_hour_lasts_an_hour():
    """A breakpoint with ttl 1h is written and kept as such."""
    clock = Clock()
    cache = ExplicitCache(clock)
    prompt = claude(block(LONG, HOUR))

    assert cache.settle("m", prompt) == Cached(write_1h=prompt.tokens)
    clock.now = 3_599
    assert cache.settle("m", prompt) == Cached(read=prompt.tokens)


def test_a_write_is_split_by_the_ttl_of_its_breakpoints():
    """The hour's stretch comes first."""
    prompt = claude(block(LONG, HOUR), block("more", EPHEMERAL), block("tail"))
    hour, five, _ = (len(piece.tokens) for piece in prompt.pieces)

    cached = ExplicitCache(Clock()).settle("m", prompt)

    assert cached == Cached(write_1h=hour, write_5m=five)
    assert [(piece.cache_read, piece.cache_write) for piece in truths(prompt, cached)] == [(0, hour), (0, five), (0, 0)]


def test_a_moving_breakpoint_reads_the_last_one_and_writes_the_rest():
    """The conversation grows by a block; the top-level field marks its end."""
    cache = ExplicitCache(Clock())
    first = claude(block(LONG), cache_control=EPHEMERAL)
    second = claude(block(LONG), block("more"), cache_control=EPHEMERAL)
    cache.settle("m", first)

    cached = cache.settle("m", second)

    assert cached == Cached(read=first.tokens, write_5m=second.tokens - first.tokens)
    assert [piece.cache_read for piece in truths(second, cached)] == [first.tokens, 0]


@pytest.mark.parametrize(("more", "hit"), [(20, True), (21, False)])
def test_looks_back_twenty_blocks(more: int, hit: bool):
    """Further back nothing is found."""
    cache = ExplicitCache(Clock())
    first = claude(block(LONG), cache_control=EPHEMERAL)
    cache.settle("m", first)

    cached = cache.settle("m", claude(block(LONG), *(block(str(number)) for number in range(more)), cache_control=EPHEMERAL))

    assert cached.read == (first.tokens if hit else 0)


def test_a_changed_tool_breaks_the_prefix():
    """Tools come before all else."""
    cache = ExplicitCache(Clock())
    for name in ("a", "b"):
        prompt = claude(block("hi"), tools=[{"name": name}], system=[block(LONG, EPHEMERAL)])

        assert cache.settle("m", prompt).read == 0


def test_a_short_prefix_is_not_cached():
    """Under 1,024 tokens the breakpoint is ignored."""
    assert ExplicitCache(Clock()).settle("m", claude(block("short", EPHEMERAL))) == Cached()


def test_the_automatic_breakpoint_needs_a_cacheable_block():
    """Thinking and empty text are none."""
    prompt = claude(block("a"), {"type": "thinking", "thinking": "b"}, block(""), cache_control=EPHEMERAL)

    assert prompt.breakpoints == {0: "5m"}
    assert messages_prompt({"messages": [], "cache_control": EPHEMERAL}).breakpoints == {}


@pytest.mark.parametrize(
    ("blocks", "top", "message"),
    [
        ([EPHEMERAL] * 5, None, "A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ([EPHEMERAL] * 4 + [None], EPHEMERAL, "A maximum of 4 blocks"),
        ([EPHEMERAL, HOUR], None, "must not come after"),
        ([HOUR], EPHEMERAL, "another ttl"),
        ([{"type": "ephemeral", "ttl": "2h"}], None, "'2h'"),
    ],
)
def test_refuses_what_anthropic_refuses(blocks: list[dict[str, str] | None], top: dict[str, str] | None, message: str):
    """Each is a 400 there."""
    with pytest.raises(BadRequest, match=message):
        claude(*(block(f"b{number}", control) for number, control in enumerate(blocks)), cache_control=top)


texts = st.sampled_from(["", "hi", "hello world", "é😀", LONG, "other " * 700])


@given(st.lists(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=5), min_size=1, max_size=4))
def test_pieces_sum_to_the_bill_of_openai(conversations: list[list[tuple[str, str]]]):
    """For any messages and any history of calls, to the token."""
    cache = AutomaticCache()
    for conversation in conversations:
        prompt = chat_prompt({"messages": [{"role": role, "content": text} for role, text in conversation]})
        cached = cache.settle("gpt-5", prompt)

        pieces = truths(prompt, cached)
        assert sum(piece.tokens for piece in pieces) == prompt.tokens
        assert sum(piece.cache_read for piece in pieces) == cached.read
        assert all(0 <= piece.cache_read <= piece.tokens for piece in pieces)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.lists(st.tuples(texts, st.sampled_from([None, None, EPHEMERAL, HOUR])), max_size=4),
            st.sampled_from([None, EPHEMERAL]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_pieces_sum_to_the_bill_of_anthropic(calls: list[tuple[bool, list[tuple[str, dict[str, str] | None]], dict[str, str] | None]]):
    """For any breakpoints that are allowed, to the token: reads, then writes, along the prefix."""
    cache = ExplicitCache(Clock())
    for tools, blocks, top in calls:
        try:
            prompt = claude(*(block(*given) for given in blocks), tools=[{"name": "a"}] if tools else None, cache_control=top)
        except BadRequest:
            continue
        cached = cache.settle("m", prompt)

        pieces = truths(prompt, cached)
        assert sum(piece.tokens for piece in pieces) == prompt.tokens
        assert sum(piece.cache_read for piece in pieces) == cached.read
        assert sum(piece.cache_write for piece in pieces) == cached.write_5m + cached.write_1h
        assert all(piece.cache_read + piece.cache_write <= piece.tokens for piece in pieces)

"""JSON objects by content: in whatever order and layout."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.flow.matching.texts import claimed, index_of, steps_of, text_of, wild

from token_otel.flow.matching.objects import DEEP, FAILURES, LONGEST, Found, objects

ORDER: dict[str, Any] = {"id": 7, "customer": "Lockkeeper at Brenn", "note": "Leave it at the upper gate, please", "paid": True}
TURNED = dict(reversed(list(ORDER.items())))


def found(text: str) -> list[Found]:
    """The objects in a text."""
    return [each for each in objects(text) if each is not None]


def contents(text: str) -> list[int]:
    """What they hold."""
    return [content for each in found(text) for content in each.hashes]


@pytest.mark.parametrize("other", [json.dumps(TURNED), json.dumps(ORDER, indent=4), f"See {json.dumps(TURNED)} and tell me."])
def test_neither_order_nor_layout_counts(other: str):
    """The same keys with the same values."""
    assert contents(other) == contents(json.dumps(ORDER))


@pytest.mark.parametrize("change", [{"id": 8}, {"note": "Leave it at the upper gate, please!"}, {"extra": None}])
def test_another_value_or_key_is_another_object(change: dict[str, Any]):
    """Even one of them."""
    assert contents(json.dumps({**ORDER, **change})) != contents(json.dumps(ORDER))


def test_a_list_keeps_its_order():
    """An object's pairs have none."""
    assert contents(json.dumps({**ORDER, "id": [1, 2]})) != contents(json.dumps({**ORDER, "id": [2, 1]}))


@pytest.mark.parametrize("small", [{"a": "x" * 90, "b": 1}, {"a": 1, "b": 2, "c": 3, "note": "short"}])
def test_a_small_object_says_nothing(small: dict[str, Any]):
    """Fewer than 3 keys, or than 64 characters of keys and values."""
    assert contents(json.dumps(small)) == []


def test_objects_within_are_known_by_themselves():
    """Last the whole one."""
    [outer] = found(json.dumps({"order": ORDER, "number": 1, "comment": "This one was asked for twice, see above"}))

    assert outer.hashes[0] == contents(json.dumps(ORDER))[0]
    assert outer.whole
    assert len(outer.hashes) == 2


def test_an_object_that_is_too_long_is_looked_into():
    """Longer than 16,384 characters: what stands in it counts by itself."""
    text = json.dumps({"blob": "x" * LONGEST, "order": ORDER, "more": [TURNED]})

    assert contents(text) == contents(json.dumps(ORDER)) * 2


def test_a_known_object_is_claimed_whole():
    """In another order, within a sentence, among letters of several bytes."""
    text = f"Prüfe „{json.dumps(TURNED)}“ — bitte ✓."

    assert claimed(text, index_of(json.dumps([ORDER, "é"])).find(text)) == [(0, json.dumps(TURNED))]


def test_the_last_who_gave_an_object_owns_it():
    """As with texts."""
    index = index_of(json.dumps(ORDER), json.dumps(ORDER, indent=1), text_of(1, 60))

    assert [claim.source for claim in index.find(json.dumps(TURNED))] == [1]


def test_known_objects_within_unknown_ones_are_claimed():
    """However deep: each level that nobody knows is opened."""
    deep = f'{{"x": {{"y": [{json.dumps(TURNED)}]}}}}'

    assert claimed(deep, index_of(json.dumps(ORDER)).find(deep)) == [(0, json.dumps(TURNED))]


def test_objects_in_a_row_are_claimed_in_order():
    """With words of another between them, and the rest of a claim that they cut kept."""
    page = text_of(3, 40)
    orders = [{**ORDER, "id": number, "note": text_of(number, 30)} for number in range(20)]
    text = page + " ".join(json.dumps(dict(reversed(order.items()))) for order in orders) + page
    claims = index_of(("page", page), ("shop", json.dumps(orders))).find(text)

    assert [claim.source for claim in claims] == ["page", "shop", "page"]
    assert claims[1].end - claims[1].start >= len(text) - 2 * len(page)


@pytest.mark.parametrize(
    "text",
    [
        '{"a"' * 5_000,
        '{"a": ' * 5_000,
        '{"a": {"b": 1}' * 2_000,
        "{" * 9_000 + '"',
        '{"a": ' + "[" * 15_000,
        '{"a": ' + "[" * 700 + "]" * 700 + "}",
        '{"a": ' + "9" * 9_000 + "}",
        '{"a": NaN, "b": -Infinity, "c": 1e999, "d": "' + "x" * 60 + '"}',
        '{"a": 1, "a": 2, "a": 3, "a": "' + "x" * 70 + '"}',
        '{"\\ud800": "\\udfff", "b": "' + "\0" * 70 + '", "c": 1}',
        json.dumps({"a": {"b": {"c": ["x" * 70, {}, []]}, "d": 1, "e": 2}, "f": 1, "g": 2}) * 300,
    ],
)
def test_broken_and_strange_json_does_no_harm(text: str):
    """Braces without end, nesting beyond reason, numbers that are none."""
    assert all(0 <= each.start < each.end <= len(text) for each in found(text))


def nested(n: int) -> str:
    """Each level opens another that nobody knows."""
    return "".join(f'{{"key{at}": "{text_of(at, 9)}", "b": ' for at in range(n)) + "1" + "}" * n


def unknown(n: int) -> str:
    """Small objects that nobody knows."""
    return "\n".join(json.dumps({**ORDER, "id": at}) for at in range(n))


def broken(n: int) -> str:
    """As many braces as may fail in a row, then one that does not, again and again."""
    return ('{"a"' * (FAILURES - 1) + '{"a": 1}') * n


@pytest.mark.parametrize("make", [nested, unknown, broken], ids=lambda make: make.__name__)
def test_each_character_is_read_a_few_times_at_most(make: Any):
    """Eight on average: four times the text takes four times the steps, and no more of them than it may."""
    index = index_of(json.dumps(ORDER))
    small, large = [steps_of(index, make(n)) for n in (100, 400)]

    assert large <= 4 * small + 50
    assert sum(1 for _ in objects(make(400), lambda _: False)) <= (DEEP * len(make(400)) + LONGEST) // 5


def test_known_objects_without_end_take_a_few_steps_each():
    """A listing of 400, each in another order: claimed as one."""
    source = "\n".join(json.dumps({**ORDER, "id": number, "note": text_of(number, 30)}) for number in range(400))
    text = "\n".join(json.dumps(dict(reversed(json.loads(line).items()))) for line in source.split("\n"))
    index = index_of(source)

    assert [(claim.start, claim.end) for claim in index.find(text)] == [(0, len(text))]
    assert steps_of(index, text) <= 400 * 5


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(text=wild)
def test_any_text_can_be_looked_at(text: str):
    """Each object found begins with a brace, and they are in order."""
    at = 0
    for each in found(text):
        assert at <= each.start < each.end
        assert text[each.start] == "{"
        at = each.end

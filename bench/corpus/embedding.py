"""`Embedding`: how one text gets into a prompt; gives pieces, each the producer's or the template's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bench.corpus import rewriting, templates
from bench.corpus.pen import Pen
from bench.corpus.rewriting import Rewriting
from bench.corpus.texts import CASED, KINDS, LINES

Pieces: TypeAlias = "list[tuple[str, bool]]"
Embedding: TypeAlias = "Callable[[str, Pen], Pieces]"
Frame: TypeAlias = "Callable[[Pen], tuple[str, str]]"


def talk(pen: Pen) -> tuple[str, str]:
    """Sentences before and after."""
    return templates.intro(pen), templates.outro(pen)


def maybe_nothing(pen: Pen) -> tuple[str, str]:
    """A message of its own, or within another."""
    return ("", "") if pen.chance(0.5) else talk(pen)


def inline(pen: Pen) -> tuple[str, str]:
    """An f-string's words, in the same line."""
    before = templates.fill(
        pen, pen.pick(("{person} says: ", "Summarise {noun} {number}: ", "Input for the {noun} agent = ", "Given (", "Q: {sentence} A: "))
    )
    after = templates.fill(
        pen, pen.pick((" -- end of {noun}", ") and {number} {noun}, {verb} it.", " What is missing?", ", says {person}"))
    )
    return before, after


def tag(pen: Pen) -> tuple[str, str]:
    """An XML element."""
    name = pen.pick(templates.TAGS)
    attribute = f' index="{pen.number(20)}"' if pen.chance(0.5) else ""
    before, after = talk(pen)
    return f"{before}<{name}{attribute}>\n", f"\n</{name}>{after}"


def fence(pen: Pen) -> tuple[str, str]:
    """A code fence."""
    before, after = talk(pen)
    return f"{before}```{pen.pick(('', 'text', 'json', 'python', 'md'))}\n", f"\n```{after}"


def field(pen: Pen) -> tuple[str, str]:
    """A string among the fields of a JSON object."""
    return f'{{"tool": "{pen.verb()}_{pen.noun()}", "content": "', f'", "ok": true, "took_ms": {pen.number()}}}'


def nested_field(pen: Pen) -> tuple[str, str]:
    """A string of a JSON object that is a string itself."""
    return f'{{"role": "tool", "id": "{pen.hex(8)}", "output": "{{\\"text\\": \\"', '\\"}"}'


def message(pen: Pen) -> tuple[str, str]:
    """The repr of an object that holds the text."""
    return f"[Message(id='{pen.hex(8)}', content='", f"', name='{pen.noun()}', meta={{}})]"


def quote(pen: Pen) -> tuple[str, str]:
    """The mark of a quoted text's first line."""
    before, after = talk(pen)
    return f"{before}\n> ", after


def framed(rewrite: Rewriting, frame: Frame = talk) -> Embedding:
    """A text in another form, whole, within a frame."""

    def embed(text: str, pen: Pen) -> Pieces:
        before, after = frame(pen)
        return [(before, False), (rewrite(text, pen.rng), True), (after, False)]

    return embed


def same(text: str, rng: object) -> str:
    """Leave a text as it is."""
    return text


def _numbered(text: str, pen: Pen) -> Pieces:
    before, after = talk(pen)
    first, rest = rewriting.number_lines(text, pen.rng)
    return [(f"{before}\n{first}", False), (rest, True), (after, False)]


def _head(text: str, pen: Pen) -> Pieces:
    before, after = talk(pen)
    kept = round(len(text) * pen.rng.uniform(0.6, 0.9))
    return [(before, False), (text[:kept], True), (templates.cut(pen) + after, False)]


def _tail(text: str, pen: Pen) -> Pieces:
    before, after = talk(pen)
    left = round(len(text) * pen.rng.uniform(0.1, 0.4))
    return [(f"{before}{templates.cut(pen)} ", False), (text[left:], True), (after, False)]


def _middle(text: str, pen: Pen) -> Pieces:
    before, after = talk(pen)
    first, last = (round(len(text) * pen.rng.uniform(0.35, 0.45)) for _ in range(2))
    return [(before, False), (text[:first], True), (f"{templates.cut(pen)}\n", False), (text[-last:], True), (after, False)]


_FIRST: tuple[Rewriting, ...] = (rewriting.rewrapped, rewriting.typographic, rewriting.escaped, rewriting.indented, rewriting.quoted)
_CASES: tuple[Rewriting, ...] = (rewriting.upper, rewriting.lower, rewriting.title)
_SECOND: tuple[tuple[Rewriting, Frame], ...] = (
    (rewriting.indented, fence),
    (rewriting.quoted, quote),
    (rewriting.numbered, talk),
    (rewriting.in_json, field),
    (rewriting.in_ascii_json, field),
    (rewriting.in_nested_json, nested_field),
    (rewriting.in_repr, message),
    (rewriting.rewrapped, tag),
)


def _chained(text: str, pen: Pen) -> Pieces:
    first = pen.pick(_FIRST + _CASES if text.upper() != text.lower() else _FIRST)
    second, frame = pen.pick([pair for pair in _SECOND if pair[0] is not first])
    return framed(lambda text, rng: second(first(text, rng), rng), frame)(text, pen)


# For each row of single texts: what kinds it makes sense for, and how it is done.
EMBEDDINGS: dict[str, tuple[tuple[str, ...], Embedding]] = {
    "verbatim": (KINDS, framed(same, maybe_nothing)),
    "f-string": (KINDS, framed(same, inline)),
    "XML tag": (KINDS, framed(same, tag)),
    "code fence": (KINDS, framed(same, fence)),
    "indented": (KINDS, framed(rewriting.indented)),
    "quoted with >": (KINDS, framed(rewriting.quoted, quote)),
    "re-wrapped": (KINDS, framed(rewriting.rewrapped)),
    "upper case": (CASED, framed(rewriting.upper)),
    "lower case": (CASED, framed(rewriting.lower)),
    "title case": (CASED, framed(rewriting.title)),
    "HTML": (KINDS, framed(rewriting.escaped, tag)),
    "typography": (KINDS, framed(rewriting.typographic)),
    "JSON string": (KINDS, framed(rewriting.in_json, field)),
    "JSON string, ASCII": (KINDS, framed(rewriting.in_ascii_json, field)),
    "JSON string, twice": (KINDS, framed(rewriting.in_nested_json, nested_field)),
    "JSON re-serialised": (("JSON",), framed(rewriting.reserialised)),
    "JSON key order": (("JSON",), framed(rewriting.reordered)),
    "repr of text": (KINDS, framed(rewriting.in_repr, message)),
    "cut: head kept": (KINDS, _head),
    "cut: tail kept": (KINDS, _tail),
    "cut: middle left out": (KINDS, _middle),
    "line numbers": ((*LINES, "prose"), _numbered),
    "two chained": (KINDS, _chained),
    "lightly edited": (KINDS, framed(rewriting.edited)),
    "filtered lines": (LINES, framed(rewriting.filtered)),
    "repr of JSON": (("JSON",), framed(rewriting.json_in_repr)),
    "JSON as labels": (("JSON",), framed(rewriting.labelled)),
}

"""What programs and models do to a text on its way into a prompt: each takes a text and gives back the whole of it in another form."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from random import Random
from typing import TypeAlias, cast

from bench.corpus.records import Json

Rewriting: TypeAlias = "Callable[[str, Random], str]"

_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")
_NUMBERS = ("{:>6}\t", "{}: ", "{}. ", "L{}: ", "{} | ", "{:>4}\u2192", "{}:")


def indented(text: str, rng: Random) -> str:
    """Under a heading of YAML, in a nested list or in code."""
    by = rng.choice(("  ", "    ", "        ", "\t"))
    return text.replace("\n", "\n" + by)


def quoted(text: str, rng: Random) -> str:
    """As e-mail and markdown quote; the first line's mark stands before the text."""
    return text.replace("\n", "\n> " if rng.random() < 0.8 else "\n>> ")


def rewrapped(text: str, rng: Random) -> str:
    """Other line breaks: at a width, or none at all; where no blanks are written, anywhere."""
    return wrapped(text, rng.choice((40, 60, 72, 80, 100, 10**9)))


def wrapped(text: str, width: int) -> str:
    """In lines of at most `width` characters."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        while len(word) > width:
            if line:
                lines.append(line)
            line, word = word[:width], word[width:]
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def upper(text: str, rng: Random) -> str:
    """In capitals."""
    return text.upper()


def lower(text: str, rng: Random) -> str:
    """In small letters."""
    return text.lower()


def title(text: str, rng: Random) -> str:
    """Every word with a capital."""
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


def escaped(text: str, rng: Random) -> str:
    """As HTML."""
    return html.escape(text)


def typographic(text: str, rng: Random) -> str:
    """As a word processor sets it: curly quotes, dashes, an ellipsis, blanks that do not break."""
    text = re.sub(r'(^|[\s(\[{:,=])"', "\\1\u201c", text).replace('"', "\u201d")
    text = re.sub(r"(^|[\s(\[{:,=])'", "\\1\u2018", text).replace("'", "\u2019")
    text = text.replace("...", "\u2026").replace(" - ", f" {rng.choice(chr(0x2013) + chr(0x2014))} ").replace("--", "\u2014")
    return re.sub(r" (?=\d)", "\u00a0", text)


def numbered(text: str, rng: Random) -> str:
    """With numbers of lines, but for the first, which stands before the text."""
    return number_lines(text, rng)[1]


def number_lines(text: str, rng: Random) -> tuple[str, str]:
    """With numbers of lines as editors and tools show them: the first line's, and all else."""
    form = rng.choice(_NUMBERS)
    first = rng.choice((1, 1, 1, 2, 96, 412))
    head, *lines = text.split("\n")
    return form.format(first), "\n".join([head, *(form.format(number) + line for number, line in enumerate(lines, first + 1))])


def in_json(text: str, rng: Random) -> str:
    """Within a JSON string, other scripts as they are."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def in_ascii_json(text: str, rng: Random) -> str:
    """Within a JSON string of ASCII alone."""
    return json.dumps(text)[1:-1]


def in_nested_json(text: str, rng: Random) -> str:
    """Within a JSON string within a JSON string."""
    ascii_too = rng.random() < 0.5
    return json.dumps(json.dumps(text, ensure_ascii=ascii_too), ensure_ascii=rng.random() < 0.5)[3:-3]


def in_repr(text: str, rng: Random) -> str:
    """Within Python's repr of it."""
    return repr(text)[1:-1]


def reserialised(text: str, rng: Random) -> str:
    """The same JSON with another indentation and other separators."""
    value = json.loads(text)
    forms: tuple[Callable[[], str], ...] = (
        lambda: json.dumps(value, separators=(",", ":")),
        lambda: json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        lambda: json.dumps(value, indent=rng.choice((1, 2, 3, 4)), ensure_ascii=False),
        lambda: json.dumps(value, indent="\t", separators=(",", " : ")),
        lambda: json.dumps(value),
    )
    others = [made for made in (form() for form in forms) if made != text]
    return rng.choice(others)


def reordered(text: str, rng: Random) -> str:
    """The same JSON with its keys sorted, reversed or shuffled, and maybe another indentation."""
    order = rng.choice(("sorted", "reversed", "shuffled"))

    def visit(value: Json) -> Json:
        if isinstance(value, list):
            return [visit(one) for one in value]
        if not isinstance(value, dict):
            return value
        keys = list(value)
        if order == "sorted":
            keys.sort()
        elif order == "reversed":
            keys.reverse()
        else:
            rng.shuffle(keys)
        return {key: visit(value[key]) for key in keys}

    return json.dumps(visit(cast(Json, json.loads(text))), ensure_ascii=False, indent=rng.choice((None, 2)))


def json_in_repr(text: str, rng: Random) -> str:
    """What `str()` makes of the parsed JSON: single quotes, `None`, `True`."""
    return repr(json.loads(text))


def labelled(text: str, rng: Random) -> str:
    """JSON as people read it: a line for each value, labels for keys."""
    bullet, null = rng.choice(("- ", "* ", "")), rng.choice(("n/a", "none", "-"))
    bold = rng.random() < 0.3
    lines: list[str] = []

    def visit(value: Json, label: str, depth: int) -> None:
        name = label.replace("_", " ").strip().capitalize()
        head = "  " * depth + bullet + (f"**{name}**:" if bold else f"{name}:")
        if isinstance(value, dict):
            if label:
                lines.append(head)
            for key, inner in value.items():
                visit(inner, key, depth + bool(label))
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for number, inner in enumerate(value, 1):
                visit(inner, f"{label or 'item'} {number}", depth)
        elif isinstance(value, list):
            lines.append(f"{head} {', '.join(map(str, value))}")
        else:
            said = null if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            lines.append(f"{head} {said}")

    visit(cast(Json, json.loads(text)), "", 0)
    return "\n".join(lines).strip()


def edited(text: str, rng: Random, share: float | None = None) -> str:
    """One to six words in a hundred changed, left out or put in; not the first or the last."""
    share = rng.uniform(0.01, 0.06) if share is None else share
    spans = [
        match.span()
        for match in re.finditer(r"[\u0e00-\u0e7f]{1,4}|[\u3040-\u30ff\u3400-\u9fff]{1,2}|[^\W\u0e00-\u0e7f\u3040-\u9fff]+", text)
    ]
    inner = spans[2:-2]
    if not inner:
        return text
    chosen = sorted(rng.sample(range(len(inner)), min(len(inner), max(1, round(share * len(spans))))))
    pool = [text[slice(*span)] for span in spans]
    made: list[str] = []
    at = 0
    for number in chosen:
        start, end = inner[number]
        made.append(text[at:start])
        word = rng.choice([one for one in rng.sample(pool, min(len(pool), 8)) if one.lower() != text[start:end].lower()] or ["else"])
        made.append({0: "", 1: f"{text[start:end]} {word}"}.get(rng.randrange(4), word))
        at = end
    return "".join([*made, text[at:]])


def filtered(text: str, rng: Random) -> str:
    """Some lines left out, as a program does that looks for a level or a word."""
    lines = text.split("\n")
    share = rng.uniform(0.1, 0.35)
    kept = [line for line in lines if rng.random() >= share]
    if len(kept) == len(lines) and len(lines) > 2:
        del kept[len(lines) // 2]
    return "\n".join(kept if kept else lines[:1]).strip()

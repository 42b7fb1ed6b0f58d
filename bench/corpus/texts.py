"""`write`: a text of one of 14 kinds and of about so many words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from random import Random

from bench.corpus import code, prose, records
from bench.corpus.pen import Pen, Topic
from bench.corpus.records import Json
from bench.corpus.tongue import Tongue, tongue

TONGUES = {name: tongue(name) for name in ("Chinese", "Japanese", "Arabic", "Russian", "French", "Thai")}
KINDS = ("prose", "markdown", "Python", "TypeScript", "JSON", "logs", "CSV", *TONGUES, "mixed")

# What can be quoted by the sentence, what has upper and lower case, what is told by its lines.
SENTENCES = ("prose", "markdown", *TONGUES, "mixed")
CASED = ("prose", "markdown", "Python", "TypeScript", "logs", "Russian", "French", "mixed")
LINES = ("markdown", "Python", "TypeScript", "logs", "CSV", "mixed")

_BLANKS = re.compile(r" +\n")
_WORD = re.compile(r"\w+")
_SPACELESS = re.compile("[\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff]")


def words(text: str) -> int:
    """About how many words `text` has; two characters make one where no blanks are written, four in Thai."""
    loose = _SPACELESS.findall(text)
    if not loose:
        return len(_WORD.findall(text))
    thai = sum(character < "\u0f00" for character in loose)
    return len(_WORD.findall(_SPACELESS.sub(" ", text))) + round(thai / 4.2 + (len(loose) - thai) / 1.9)


def write(kind: str, count: int, rng: Random, topic: Topic | None = None) -> str:
    """Write at least `count` words, up to the end of a sentence, a line or an object."""
    pen = Pen(rng, topic)
    if kind == "JSON":
        return _json(pen, count)
    head, block, between = _FORMS[kind]
    if head and count < 40:
        head = ""
    made = [head] if head else []
    total = words(head)
    for text in block(pen):
        made.append(text)
        total += words(text)
        if total >= count:
            break
    text = between.join(made).strip()
    text = _BLANKS.sub("\n", text)
    return _shortened(text, count) if words(text) > 1.5 * count + 20 else text


def written(pen: Pen, found: list[dict[str, Json]]) -> str:
    """Serialise objects as an API would."""
    whole = records.envelope(pen, found)
    if pen.chance(0.5):
        return json.dumps(whole, indent=pen.pick((2, 4)), ensure_ascii=False)
    return json.dumps(whole, ensure_ascii=False)


def _json(pen: Pen, count: int) -> str:
    found: list[dict[str, Json]] = []
    total = 0
    while total < count:
        found.append(records.record(pen))
        total += words(json.dumps(found[-1]))
    return written(pen, found)


def _shortened(text: str, count: int) -> str:
    """Cut where a line ends, once there are enough words: a block may be long."""
    kept = ""
    for line in text.splitlines(keepends=True):
        kept += line
        if words(kept) >= count:
            break
    return kept.rstrip()


def _repeated(block: Callable[[Pen], str]) -> Callable[[Pen], Iterator[str]]:
    def blocks(pen: Pen) -> Iterator[str]:
        while True:
            yield block(pen)

    return blocks


def _sentences(pen: Pen) -> Iterator[str]:
    while True:
        for _ in range(pen.pick(range(2, 7))):
            yield prose.sentence(pen) + " "
        yield "\n\n"


def _foreign(language: Tongue) -> Callable[[Pen], Iterator[str]]:
    def sentences(pen: Pen) -> Iterator[str]:
        while True:
            for _ in range(pen.pick(range(3, 9))):
                yield language.sentence(pen) + language.between
            yield "\n\n"

    return sentences


def _mixed(pen: Pen) -> Iterator[str]:
    blocks: tuple[Callable[[], str], ...] = (
        lambda: prose.paragraph(pen, 4),
        lambda: prose.markdown(pen),
        lambda: f"```python\n{code.python(pen)}\n```",
        lambda: f"```json\n{json.dumps(records.record(pen), ensure_ascii=False)}\n```",
        lambda: "\n".join(records.log(pen) for _ in range(3)),
        lambda: " ".join(TONGUES[pen.pick(("Russian", "French", "Arabic"))].sentence(pen) for _ in range(3)),
        lambda: "".join(TONGUES[pen.pick(("Chinese", "Japanese"))].sentence(pen) for _ in range(3)),
    )
    while True:
        yield pen.pick(blocks)()


# What stands at the top, how to go on, and what lies between.
_FORMS: dict[str, tuple[str, Callable[[Pen], Iterator[str]], str]] = {
    "prose": ("", _sentences, ""),
    "markdown": ("", _repeated(prose.markdown), "\n\n"),
    "Python": (code.PYTHON_HEAD, _repeated(code.python), "\n\n\n"),
    "TypeScript": (code.TYPESCRIPT_HEAD, _repeated(code.typescript), "\n\n"),
    "logs": ("", _repeated(records.log), "\n"),
    "CSV": (records.COLUMNS, _repeated(records.row), "\n"),
    **{name: ("", _foreign(language), "") for name, language in TONGUES.items()},
    "mixed": ("", _mixed, "\n\n"),
}

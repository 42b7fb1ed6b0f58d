"""`Tongue`: a language other than English, by the patterns and word lists in `tongues/`.

A pattern names word lists in braces; `longer` says what may go along with a word, {}, of a list; `_` is a blank within a word;
`syllables` make names that only one topic knows. Grammar is roughly right: what counts is how a script looks in bytes and how it is
cut into words. `characters_per_word` is 0 where blanks stand between words.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus.pen import Pen

_NAMED = ("what", "who", "place")  # what may bear a name of its own
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Tongue:
    """Patterns, word lists, what ends a sentence, what stands between two, and how many characters make a word where no blank does."""

    name: str
    patterns: tuple[str, ...]
    syllables: tuple[str, ...]
    words: dict[str, tuple[str, ...]]
    longer: dict[str, tuple[str, ...]]
    stop: str
    between: str
    characters_per_word: float

    def sentence(self, pen: Pen) -> str:
        """Write one sentence."""

        def fill(slot: re.Match[str]) -> str:
            field = slot[1]
            if field == "num":
                return str(pen.number())
            form = pen.pick(self.longer[field]) if field in self.longer and pen.chance(0.4) else "{}"
            if form != "{}":
                form = _SLOT.sub(fill, form)
            if field in _NAMED and pen.chance(0.35):
                return form.replace("{}", pen.pick(pen.topic.invented(self.name, self.syllables)))
            return form.replace("{}", pen.pick(pen.topic.some(f"{self.name}/{field}", self.words[field])))

        text = _SLOT.sub(fill, pen.pick(self.patterns))
        return text[0].upper() + text[1:] + self.stop


def tongue(name: str) -> Tongue:
    """Read a language."""
    text = Path(__file__).with_name("tongues").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    words: dict[str, str] = table["words"]
    return Tongue(
        name=name,
        patterns=tuple(table["patterns"].split("\n")[:-1]),
        syllables=tuple(table["syllables"].split()),
        words={field: tuple(word.replace("_", " ") for word in text.split()) for field, text in words.items()},
        longer={field: tuple(forms) for field, forms in table["longer"].items()},
        stop=table["stop"],
        between=table["between"],
        characters_per_word=table["characters_per_word"],
    )

"""`Tongue`: a language other than English, by the patterns and word lists of `tongues.toml`."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus.pen import Pen

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Tongue:
    """Patterns, word lists, what ends a sentence, what stands between two, and how many characters make a word where no blank does."""

    name: str
    patterns: tuple[str, ...]
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
            return form.replace("{}", pen.pick(pen.topic.some(f"{self.name}/{field}", self.words[field])))

        text = _SLOT.sub(fill, pen.pick(self.patterns))
        return text[0].upper() + text[1:] + self.stop


def tongues() -> dict[str, Tongue]:
    """Read the languages, by their names."""
    tables = tomllib.loads(Path(__file__).with_name("tongues.toml").read_text(encoding="utf-8"))
    return {name: _tongue(name, table) for name, table in tables.items()}


def _tongue(name: str, table: dict[str, Any]) -> Tongue:
    words: dict[str, str] = table["words"]
    return Tongue(
        name=name,
        patterns=tuple(table["patterns"].split("\n")[:-1]),
        words={field: tuple(word.replace("_", " ") for word in text.split()) for field, text in words.items()},
        longer={field: tuple(forms) for field, forms in table["longer"].items()},
        stop=table["stop"],
        between=table["between"],
        characters_per_word=table["characters_per_word"],
    )

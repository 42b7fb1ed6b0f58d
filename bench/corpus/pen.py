"""`Topic`: the few words that a text is about; `Pen`: writes about a topic, by its own chance."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from bench.corpus import lexicon

_T = TypeVar("_T")
_ONSETS = (
    "b",
    "br",
    "c",
    "d",
    "dr",
    "f",
    "g",
    "h",
    "j",
    "k",
    "kl",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
    "sh",
)
_NUCLEI = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "ea", "ou")
_CODAS = ("", "", "", "l", "m", "n", "r", "s", "t", "x")
_NOUNS = tuple(word for pair in lexicon.NOUNS for word in pair)
_VERBS = tuple(word for pair in lexicon.VERBS for word in pair)
_ADJECTIVES = tuple(word for pair in lexicon.ADJECTIVES for word in pair)
_ADVERBS = tuple(word for pair in lexicon.ADVERBS for word in pair)


class Topic:
    """A part of the vocabulary, and names of people, places and things: what two authors on one topic share."""

    def __init__(self, rng: Random) -> None:
        self.nouns = rng.sample(_NOUNS, 70)
        self.verbs = rng.sample(_VERBS, 45)
        self.adjectives = rng.sample(_ADJECTIVES, 40)
        self.people = [f"{name(rng)} {name(rng)}" if rng.random() < 0.6 else name(rng) for _ in range(14)]
        self.places = [name(rng) for _ in range(12)]
        self.things = [name(rng).lower() for _ in range(8)]
        self.service = f"{rng.choice(self.nouns)}-{self.things[0]}"
        self.words: dict[str, list[str]] = {}
        self._seed = rng.random()

    def some(self, field: str, words: Sequence[str]) -> list[str]:
        """Return the part of another language's word list that this topic uses: always the same."""
        if field not in self.words:
            self.words[field] = Random(f"{self._seed}{field}").sample(words, max(6, len(words) * 2 // 3))
        return self.words[field]

    def invented(self, language: str, syllables: Sequence[str]) -> list[str]:
        """Return this topic's own words in another language: two or three syllables each, always the same."""
        if language not in self.words:
            rng = Random(f"{self._seed}{language}")
            self.words[language] = ["".join(rng.sample(syllables, rng.choice((2, 2, 3)))) for _ in range(60)]
        return self.words[language]


def name(rng: Random) -> str:
    """Invent a name of one to three syllables."""
    syllables = (rng.choice(_ONSETS) + rng.choice(_NUCLEI) + rng.choice(_CODAS) for _ in range(rng.choice((1, 2, 2, 2, 3))))
    return "".join(syllables).capitalize()


class Pen:
    """Chooses words of a topic."""

    def __init__(self, rng: Random, topic: Topic | None = None) -> None:
        self.rng = rng
        self.topic = topic or Topic(rng)

    def pick(self, choices: Sequence[_T]) -> _T:
        """Choose one."""
        return choices[int(self.rng.random() * len(choices))]

    def chance(self, share: float) -> bool:
        """Return true in that share of the calls."""
        return self.rng.random() < share

    def number(self, most: int = 1_000) -> int:
        """Choose a number from 2 on, a small one more often."""
        return 2 + int(most * self.rng.random() ** 2)

    def noun(self) -> str:
        """Choose a noun, mostly of the topic."""
        return self.pick(self.topic.nouns) if self.chance(0.8) else self.pick(_NOUNS)

    def verb(self) -> str:
        """Choose a verb, mostly of the topic."""
        return self.pick(self.topic.verbs) if self.chance(0.8) else self.pick(_VERBS)

    def past(self) -> str:
        """Choose a verb in the past tense."""
        return lexicon.past(self.verb())

    def nouns(self) -> str:
        """Choose a noun in the plural."""
        return lexicon.plural(self.noun())

    def adjective(self) -> str:
        """Choose an adjective, mostly of the topic."""
        return self.pick(self.topic.adjectives) if self.chance(0.8) else self.pick(_ADJECTIVES)

    def adverb(self) -> str:
        """Choose an adverb."""
        return self.pick(_ADVERBS)

    def person(self) -> str:
        """Choose somebody the topic knows."""
        return self.pick(self.topic.people)

    def place(self) -> str:
        """Choose a place the topic knows."""
        return self.pick(self.topic.places)

    def thing(self) -> str:
        """Choose an invented word the topic knows."""
        return self.pick(self.topic.things)

    def hex(self, digits: int) -> str:
        """Make up an identifier."""
        return f"{self.rng.getrandbits(4 * digits):0{digits}x}"

    def date(self) -> str:
        """Make up a day."""
        return f"20{self.pick(range(18, 27))}-{self.pick(range(1, 13)):02}-{self.pick(range(1, 29)):02}"

    def time(self) -> str:
        """Make up a time of the day."""
        return f"{self.pick(range(24)):02}:{self.pick(range(60)):02}:{self.pick(range(60)):02}"

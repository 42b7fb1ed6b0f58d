"""`Row`: a transformation or a trap with its targets; `cases`: the cases of a row for a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bench.corpus import several, traps
from bench.corpus.case import OTHERS, Case, Draft
from bench.corpus.desk import Desk
from bench.corpus.embedding import EMBEDDINGS, Embedding
from bench.corpus.rewriting import wrapped
from bench.corpus.texts import KINDS, LINES, SENTENCES

Build: TypeAlias = "Callable[[Desk, str, int], Draft]"

# Words of a case's texts: ranges, by turns, from the first to the last; the first six are the small ones.
SIZES = ((20, 50),) * 6 + ((60, 200),) * 3 + ((200, 600),) * 3 + ((600, 1_500), (1_500, 2_500))
MIDDLE_SIZES = ((60, 120),) * 4 + ((120, 400),) * 3 + ((400, 800),)
HUGE = (5_000, 20_000)
SMALL_WORDS = 60


@dataclass(frozen=True)
class Row:
    """What is drafted, from which kinds of text and in which sizes, and what must come out, in percent."""

    name: str
    kinds: tuple[str, ...]
    build: Build
    precision: float | None = None
    recall: float | None = None
    small: float | None = None
    wrong: float | None = None
    claimed: float | None = None
    sizes: tuple[tuple[int, int], ...] = SIZES

    @property
    def is_trap(self) -> bool:
        """Whether whatever is claimed is wrong."""
        return self.name.startswith("trap: ")


def cases(row: Row, seed: int, small_only: bool = False) -> Iterator[Case]:
    """Draft the cases of a row: always the same ones for a seed."""
    order = Desk(seed, row.name)
    kinds = order.rng.sample(row.kinds, len(row.kinds))
    for number, (least, most) in enumerate(row.sizes):
        small = most <= SMALL_WORDS
        if small_only and not small:
            continue
        desk = Desk(seed, f"{row.name}/{number}")
        kind = kinds[number % len(kinds)]
        draft = row.build(desk, kind, desk.rng.randint(least, most))
        before = tuple((OTHERS, text) for text in desk.others(kind))
        yield Case(row.name, kind, small, (*before, *draft.sources, (OTHERS, desk.others(kind)[2])), tuple(draft.segments))


def _single(name: str, embed: Embedding) -> Build:
    def build(desk: Desk, kind: str, count: int) -> Draft:
        draft = Draft()
        if name == "cut: middle left out":
            # Of twenty words, two lots of eight would be left: shorter than what is told apart from a stock phrase.
            count = max(count, 40)
        text = desk.write(kind, count)
        if name == "line numbers" and text.count("\n") < 3:
            text = wrapped(text, 40)  # a paragraph in one line has nothing to number
        return draft.extend(embed(draft.produce("author", text), desk.pen()), "author")

    return build


def _singles(names: str, precision: float, recall: float, small: float, sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[Row]:
    for name in names.split("; "):
        kinds, embed = EMBEDDINGS[name]
        yield Row(name, kinds, _single(name, embed), precision, recall, small, sizes=sizes)


def _trap(name: str, kinds: tuple[str, ...], build: Build, claimed: float | None) -> Row:
    return Row(f"trap: {name}", kinds, build, claimed=claimed, sizes=((40, 90),) * 5 + ((90, 400),) * 4 + ((400, 1_200),) * 3)


_DUPLICABLE = tuple(kind for kind in KINDS if kind != "JSON")
ROWS: tuple[Row, ...] = (
    *_singles("verbatim", 99.8, 99.5, 98, (*SIZES, HUGE)),
    *_singles("f-string; XML tag; code fence; indented; quoted with >", 99.8, 99.5, 98),
    Row("joined", KINDS, several.joined, 99.8, 99.5, 98),
    *_singles("re-wrapped", 99.8, 99.5, 98, (*SIZES, HUGE)),
    *_singles("upper case; lower case; title case; HTML; typography", 99.8, 99.5, 98),
    *_singles("JSON string", 99.8, 99.5, 97, (*SIZES, HUGE)),
    *_singles("JSON string, ASCII; JSON string, twice; JSON re-serialised; JSON key order; repr of text", 99.8, 99.5, 97),
    *_singles("cut: head kept; cut: tail kept; cut: middle left out; line numbers; two chained", 99.5, 99.5, 95),
    Row("conversation", KINDS, several.conversation, 99.5, 99, sizes=MIDDLE_SIZES),
    Row("duplicate in context", _DUPLICABLE, several.duplicate_in_context, 99, 99, 98, wrong=1),
    Row("duplicate alone", KINDS, several.duplicate_alone, 99, 99, 98, wrong=1),
    Row("two versions", KINDS, several.versions, 99, 99, 98, wrong=1),
    Row("few sentences", (*SENTENCES, "logs"), several.few_sentences, 98, 95, 90),
    *_singles("lightly edited; filtered lines", 99, 96, 88),
    *_singles("repr of JSON; JSON as labels", 99, 94, 85),
    Row("interleaved quotes", (*SENTENCES, *LINES[1:4]), several.interleaved, 98, 80, 78),
    _trap("short outputs", ("prose",), traps.short_outputs, 1),
    _trap("boilerplate", KINDS, traps.boilerplate, 1),
    # What several wrote, each at another place, is the most recent one's by the letter: no target, but worth knowing.
    _trap("shared formulas", KINDS, traps.shared_formulas, None),
    _trap("paraphrase", ("prose",), traps.paraphrase, 0.5),
    _trap("same topic", KINDS, traps.same_topic, 5),
    _trap("stock phrases", ("prose",), traps.stock_phrases, 15),
)

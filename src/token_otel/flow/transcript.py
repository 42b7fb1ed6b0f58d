"""`Transcript`: the prompt that an agent read last, in columns, so that reading it again costs next to nothing; `Reader`: all it has read.

They hold no text: parts are known by their digests.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence

from token_otel.flow.pieces import Match
from token_otel.flow.producer import SpanRef
from token_otel.flow.split import Group

MODELS = 4


class Transcript:
    """The rows of a prompt, each one's weight and whose it is. Rows are added, never changed: whoever reads the first of them goes on.

    Attributes:
        digests: Of the parts.
        counted: What all parts up to each count, in 1/1024 of an o200k token: in all, of it schemas, of it other alphabets.
        tools_more: How much more a token of a schema was taken to weigh than one of text, as a share; `foreign_more` likewise.
        part_ends: How many rows there are up to each part.
        ends: The weight of all rows up to each; begins with 0.
        places: The place among `groups` of each row.
        labels: Under what the account of each group is kept: its span, or its origin.
        tools: How many parts from the start are tool schemas.
        functions: Whether they are told as Chat Completions does.
        cut: Whether some part was too long to be searched as a whole.
        pending: The parts that were still to be counted (`None`) or searched when they were added: they may weigh, or be, another's.
        shared: Whether it is that of several conversations, each at its beginning.
    """

    __slots__ = (
        "_at",
        "_totals",
        "counted",
        "cut",
        "digests",
        "ends",
        "foreign_more",
        "functions",
        "groups",
        "labels",
        "part_ends",
        "pending",
        "places",
        "shared",
        "tools",
        "tools_more",
    )

    def __init__(self, *, shared: bool = False) -> None:
        self.shared = shared
        self.cut = False
        self.pending: list[tuple[int, Match | None]] = []
        self.digests: list[int] = []
        self.counted: list[tuple[int, int, int]] = [(0, 0, 0)]
        self.tools_more = self.foreign_more = 0.0
        self.part_ends: list[int] = [0]
        self.ends: list[int] = [0]
        self.places: list[int] = []
        self.groups: list[Group] = []
        self.labels: list[SpanRef | str] = []
        self.tools = 0
        self.functions = False
        self._at: dict[tuple[str, int, str | None], int] = {}
        self._totals: list[int] = []

    def same(self, digests: Sequence[int]) -> int:
        """Return how many parts a prompt has in common with this one, from the start."""
        mine = self.digests
        most = min(len(mine), len(digests))
        if mine[:most] == digests[:most]:
            return most
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            if mine[low:middle] == digests[low:middle]:
                low = middle
            else:
                high = middle
        return low

    def prefix(self, parts: int) -> Transcript:
        """Return a transcript of the first `parts` parts."""
        made = Transcript()
        rows = self.part_ends[parts]
        made.digests = self.digests[:parts]
        made.counted = self.counted[: parts + 1]
        made.tools_more, made.foreign_more = self.tools_more, self.foreign_more
        made.part_ends = self.part_ends[: parts + 1]
        made.ends = self.ends[: rows + 1]
        made.places = self.places[:rows]
        made.groups = [*self.groups]
        made.labels = [*self.labels]
        made.tools = min(self.tools, parts)
        made.functions = self.functions and made.tools > 0
        made._at = dict(self._at)
        made.cut = self.cut
        made.pending = [(part, match) for part, match in self.pending if part < parts]
        made._totals = self.totals_of(rows)
        return made

    def rows_of(self, part: int) -> list[tuple[Group, int]]:
        """Return the rows of a part: whose they are, and their weights."""
        rows = range(self.part_ends[part], self.part_ends[part + 1])
        return [(self.groups[self.places[row]], self.ends[row + 1] - self.ends[row]) for row in rows]

    def tools_rows(self, parts: int) -> int:
        """Return how many rows from the start are tool schemas, of the first `parts` parts."""
        return self.part_ends[min(self.tools, parts)]

    def place_of(self, group: Group) -> int | None:
        """Return the place of a group, if it has one."""
        return self._at.get(group.key)

    def totals_of(self, rows: int) -> list[int]:
        """Return the weight of each group in the first rows."""
        totals = [*self._totals]
        for row in range(rows, len(self.places)):
            totals[self.places[row]] -= self.ends[row + 1] - self.ends[row]
        return totals

    def add(self, digest: int, rows: Sequence[tuple[Group, int]], measure: tuple[int, int, int], *, tools: bool, functions: bool) -> None:
        """Add a part with its rows."""
        for group, weight in rows:
            key = group.key
            place = self._at.get(key)
            if place is None:
                place = self._at[key] = len(self.groups)
                self.groups.append(group)
                self.labels.append(group.label)
                self._totals.append(0)
            self.places.append(place)
            self.ends.append(self.ends[-1] + weight)
            self._totals[place] += weight
        self.digests.append(digest)
        total, schemas, foreign = self.counted[-1]
        self.counted.append((total + measure[0], schemas + measure[1], foreign + measure[2]))
        self.part_ends.append(len(self.places))
        if tools and self.tools == len(self.digests) - 1:
            self.tools += 1
            self.functions = self.functions or functions


class Reader:
    """What one agent has read in one conversation.

    Attributes:
        seen: How often each part stood in a prompt whose bill has come, by its digest.
        given: The parts that were given to it in their roles.
        preamble: Whether it has read what a provider tells of its tools.
        transcripts: The prompt it read last, for each of a few models, and how many parts of it are its own.
    """

    __slots__ = ("given", "preamble", "seen", "transcripts")

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.given: set[int] = set()
        self.preamble = False
        self.transcripts: OrderedDict[Hashable, tuple[Transcript, int]] = OrderedDict()

    @property
    def entries(self) -> int:
        """About its size."""
        return 2 + (len(self.seen) + len(self.given) + sum([parts for _, parts in self.transcripts.values()])) // 2

    def transcript(self, model: Hashable) -> tuple[Transcript | None, int]:
        """Return the prompt read last with a model, and how many parts of it are this reader's own."""
        transcript, parts = self.transcripts.get(model, (None, 0))
        return transcript, parts if transcript is None or transcript.shared else len(transcript.digests)

    def keep(self, model: Hashable, transcript: Transcript) -> None:
        """Keep the prompt read last with a model."""
        self.transcripts[model] = transcript, len(transcript.digests)
        if len(self.transcripts) > MODELS:
            self.transcripts.popitem(last=False)

    def saw(self, digests: Sequence[int]) -> None:
        """Note which parts stood in the first prompt whose bill has come."""
        self.seen = dict.fromkeys(digests, 1)
        if len(self.seen) < len(digests):
            self.seen = dict(Counter(digests))

    def saw_more(self, digests: Sequence[int], before: Sequence[int]) -> None:
        """Note which parts stood in a prompt whose bill has come, behind those `before`, which were noted."""
        seen = self.seen
        counts: dict[int, int] = {}
        for digest in digests:
            count = counts.get(digest)
            if count is None:
                count = before.count(digest) if digest in seen else 0
            counts[digest] = count = count + 1
            if seen.get(digest, 0) < count:
                seen[digest] = count

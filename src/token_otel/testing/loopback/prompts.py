"""Prompts: the pieces of one request as token ids, and how cache reads and writes lie on them."""

import hashlib
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from token_otel.testing.loopback.bills import PieceKind, PieceTruth

Ttl: TypeAlias = Literal["5m", "1h"]


class BadRequest(Exception):
    """The provider would refuse this request with status 400."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One piece of a prompt. `tokens` are ids; what is no text (frames, images, hidden text) has negative ids that nothing else has."""

    kind: PieceKind
    role: str
    text: str
    tokens: tuple[int, ...]
    index: int | None = None
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A whole prompt in the provider's order. `breakpoints`: number of the piece that ends a cached prefix -> its time to live."""

    pieces: tuple[Piece, ...]
    breakpoints: Mapping[int, Ttl] = field(default_factory=dict[int, Ttl])

    @property
    def tokens(self) -> int:
        """The tokens billed as input, caches included."""
        return sum(len(piece.tokens) for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """What a cache did for one prompt: the first `read` tokens were read, the next `write_1h + write_5m` were written."""

    read: int = 0
    write_5m: int = 0
    write_1h: int = 0


def opaque(what: str, tokens: int) -> tuple[int, ...]:
    """Make the ids of `tokens` tokens that are no text, the same for the same `what` and unlike any other's."""
    return (-1 - zlib.crc32(what.encode()),) * tokens


def digests(tokens: Iterable[Sequence[int]]) -> Iterable[bytes]:
    """Give the digest of all tokens so far, after each run of them."""
    running = hashlib.sha256()
    for run in tokens:
        running.update(array("q", run).tobytes())
        yield running.copy().digest()


def truths(prompt: Prompt, cached: Cached) -> tuple[PieceTruth, ...]:
    """Lay the cached prefix along the pieces. Sums of tokens, cache_read and cache_write equal the bill."""
    at = 0
    read_end = cached.read
    write_end = read_end + cached.write_5m + cached.write_1h
    laid: list[PieceTruth] = []
    for piece in prompt.pieces:
        end = at + len(piece.tokens)
        laid.append(
            PieceTruth(
                kind=piece.kind,
                role=piece.role,
                text=piece.text,
                index=piece.index,
                tool_call_id=piece.tool_call_id,
                tokens=end - at,
                cache_read=max(0, min(end, read_end) - at),
                cache_write=max(0, min(end, write_end) - max(at, read_end)),
            )
        )
        at = end
    return tuple(laid)


def dig(body: dict[str, Any], *path: str) -> Any:
    """Give what lies at `path` in nested dicts; None where any of them is missing or null."""
    found: Any = body
    for key in path:
        if found is None:
            return None
        found = found.get(key)
    return found


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """Give content as a list of blocks: a string is one text block, None is none."""
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)

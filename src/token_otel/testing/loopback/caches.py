"""Caches: OpenAI's automatic prefix cache and Anthropic's explicit one."""

import threading
from collections.abc import Callable
from itertools import accumulate

from token_otel.testing.loopback.prompts import Cached, Prompt, Ttl, digests

MINIMUM = 1_024
"""The shortest prefix that either provider caches."""
STEP = 128
LOOKBACK = 20
TTL_S: dict[Ttl, int] = {"5m": 300, "1h": 3_600}


class AutomaticCache:
    """Remembers every prompt of a model by its prefixes, in steps of 128 tokens from 1,024. Nothing expires. Thread-safe.

    Source: https://platform.openai.com/docs/guides/prompt-caching
    """

    def __init__(self) -> None:
        self._seen: set[tuple[str, bytes]] = set()
        self._lock = threading.Lock()

    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Read the longest prefix that `prompt` shares with any earlier one of this model, and remember this one."""
        ids = [token for piece in prompt.pieces for token in piece.tokens]
        ends = range(MINIMUM, len(ids) + 1, STEP)
        runs = [ids[(end - STEP if end > MINIMUM else 0) : end] for end in ends]
        prefixes = [(model, digest) for digest in digests(runs)]
        with self._lock:
            read = max((end for end, prefix in zip(ends, prefixes, strict=True) if prefix in self._seen), default=0)
            self._seen.update(prefixes)
        return Cached(read=read)


class ExplicitCache:
    """Remembers prefixes that end at a breakpoint, until they expire; a read refreshes. Thread-safe.

    Looks for an earlier prefix at each breakpoint and at the 20 blocks before it.
    Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching

    Args:
        clock: Seconds, rising.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[tuple[str, bytes], tuple[float, Ttl]] = {}
        self._lock = threading.Lock()

    def settle(self, model: str, prompt: Prompt) -> Cached:
        """Read the longest living prefix; write from its end to the last breakpoint, each stretch with its breakpoint's time to live."""
        ends = list(accumulate(len(piece.tokens) for piece in prompt.pieces))
        keys = [(model, digest) for digest in digests((*piece.tokens, -1) for piece in prompt.pieces)]
        points = [at for at in sorted(prompt.breakpoints) if ends[at] >= MINIMUM]
        written: dict[Ttl, int] = {"5m": 0, "1h": 0}
        with self._lock:
            now = self._clock()
            read = 0
            for at in {at for point in points for at in range(max(0, point - LOOKBACK), point + 1)}:
                expires, ttl = self._entries.get(keys[at], (now, "5m"))
                if expires > now:
                    self._entries[keys[at]] = now + TTL_S[ttl], ttl
                    read = max(read, ends[at])
            done = read
            for at in points:
                ttl = prompt.breakpoints[at]
                if ends[at] > done:
                    written[ttl] += ends[at] - done
                    done = ends[at]
                    self._entries[keys[at]] = now + TTL_S[ttl], ttl
        return Cached(read=read, write_5m=written["5m"], write_1h=written["1h"])

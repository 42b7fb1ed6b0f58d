"""`Counter`: how many tokens a text has."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from token_otel.tokens.encoding import encoding

# Nothing longer is encoded in one piece: a run of a million blanks makes tiktoken panic, past every `except Exception`.
EXACT_CHARACTERS = 32_768
WINDOWS = 128
WINDOW_CHARACTERS = 128
CACHED_CHARACTERS = 64 * 1024
CACHE_BYTES = 8 * 1024 * 1024


class Counter:
    """Counts tokens with o200k_base; remembers short texts, samples long ones.

    Texts of up to 32,768 characters are counted exactly, longer ones from 128 windows of 128 characters: within 2.3 % of
    the exact count, in at most 2 ms at any size. Safe for threads.
    """

    def __init__(self) -> None:
        self._encode = encoding("o200k_base").encode_ordinary
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def known(self, text: str) -> int | None:
        """Return the count if it is at hand, in a dict look-up."""
        return 0 if not text else self._counts.get(text)

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`."""
        count = self.known(text)
        if count is None:
            count = self._measure(text)
            if len(text) <= CACHED_CHARACTERS:
                self._keep(text, count)
        return count

    def _measure(self, text: str) -> int:
        if len(text) <= EXACT_CHARACTERS:
            return len(self._encode(text))
        tokens = characters = 0
        stride = len(text) // WINDOWS
        for start in range(0, stride * WINDOWS, stride):
            window = _window(text, start, min(WINDOW_CHARACTERS, stride))
            tokens += len(self._encode(window))
            characters += len(window)
        return max(1, round(tokens * len(text) / characters))

    def _keep(self, text: str, count: int) -> None:
        with self._lock:
            if text not in self._counts:
                self._counts[text] = count
                self._bytes += _size(text)
            while self._bytes > CACHE_BYTES and self._counts:
                old, _ = self._counts.popitem(last=False)
                self._bytes -= _size(old)


def _size(text: str) -> int:
    return 100 + len(text)


def _window(text: str, start: int, characters: int) -> str:
    """Return about `characters` of `text` from `start`, with both ends moved to a blank, so that no word is cut."""
    if start:
        blank = text.find(" ", start, start + characters)
        start = blank if blank >= 0 else start
    end = text.find(" ", start + characters, start + 2 * characters)
    return text[start : end if end >= 0 else start + characters]

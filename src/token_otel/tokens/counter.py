"""`Counter`: how many tokens a text has."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable
from threading import Lock

from token_otel.tokens.encoding import encoding

# Nothing longer is encoded in one piece: a run of a million blanks makes tiktoken panic, past every `except Exception`.
EXACT_CHARACTERS = 32_768
WINDOWS = 128
WINDOW_CHARACTERS = 128
REMEMBERED = 65_536  # texts, about 8 MB
WORDS = 32_768  # about 4 MB
LONGEST_WORD = 24  # characters: what is longer hardly comes again


_WORD = re.compile(r"[A-Z]?[a-z]+")
_BLANKS = re.compile(r" {2,}| $")
# Where a blank goes with other white space around it.
_ODD_ASCII = (" \n", " \r", " \t", " \v", " \f", "\t  ", "\v  ", "\f  ")
_ODD_ENDS = ("\t ", "\v ", "\f ")
_ODD = re.compile(r" [^\S ]|[^\S \r\n](?:  | $)")


class Counter:
    """Counts tokens with o200k_base; samples long texts; remembers counts under the hash of their text, never the text.

    Texts of up to 32,768 characters are counted exactly, longer ones from 128 windows of 128 characters: within 2.3 % of
    the exact count, in at most 2 ms at any size. Safe for threads.
    """

    def __init__(self) -> None:
        encode = encoding("o200k_base").encode_ordinary
        self._encode = encode
        self._first = _Words(encode, "")
        self._others = _Words(encode, " ")
        self._counts: OrderedDict[int, int] = OrderedDict()
        self._lock = Lock()

    def known(self, text: str) -> int | None:
        """Return the count if it is at hand, in a dict look-up."""
        return 0 if not text else self._counts.get(hash(text))

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`."""
        count = self.known(text)
        if count is None:
            count = self.measure(text)
            with self._lock:
                self._counts[hash(text)] = count
                if len(self._counts) > REMEMBERED:
                    self._counts.popitem(last=False)
        return count

    def count_steps(self, texts: Iterable[str]) -> Generator[None]:
        """Count texts, one at each step."""
        for text in texts:
            self.count(text)
            yield

    def forked(self) -> None:
        """Begin anew in a child process: the lock may have been held by a thread that stayed behind."""
        self._lock = Lock()

    def measure(self, text: str) -> int:
        """Return the number of tokens of a text that will not be asked for again."""
        if len(text) <= EXACT_CHARACTERS:
            return self._exact(text)
        tokens = characters = 0
        stride = len(text) // WINDOWS
        for start in range(0, stride * WINDOWS, stride):
            window = _window(text, start, min(WINDOW_CHARACTERS, stride))
            tokens += self._exact(window)
            characters += len(window)
        return max(1, round(tokens * len(text) / characters))

    def _exact(self, text: str) -> int:
        """Add up the words: in o200k_base no token reaches over the blank before a word, and most words have been met before."""
        if text.isascii():
            odd = any([blanks in text for blanks in _ODD_ASCII]) or text.endswith(_ODD_ENDS)  # noqa: C419 - a list takes half the time
        else:
            odd = _ODD.search(text) is not None
        if odd:
            return len(self._encode(text))
        words = text.split(" ")
        tokens = self._first[words[0]]
        words[0] = ""
        tokens += sum(map(self._others.__getitem__, words))
        if "  " in text or text.endswith(" "):
            # Of several blanks all but the one that goes with the word behind them are apart.
            for blanks in _BLANKS.finditer(text):
                tokens += self._first[" " * (blanks.end() - blanks.start() - (blanks.end() < len(text)))]
        return tokens


class _Words(dict[str, int]):
    """The tokens of words, `before` included."""

    def __init__(self, encode: Callable[[str], list[int]], before: str) -> None:
        super().__init__()
        self._encode = encode
        self._before = before

    def __missing__(self, word: str) -> int:
        if not word:
            tokens = 0
        # A stop or a comma is a token apart: the word itself may be known.
        elif word[-1] in ",." and _WORD.fullmatch(word, 0, len(word) - 1):
            tokens = self[word[:-1]] + 1
        else:
            tokens = len(self._encode(self._before + word))
        if len(word) <= LONGEST_WORD:
            if len(self) >= WORDS:
                self.clear()
            self[word] = tokens
        return tokens


def _window(text: str, start: int, characters: int) -> str:
    """Return about `characters` of `text` from `start`, with both ends moved to a blank, so that no word is cut."""
    if start:
        blank = text.find(" ", start, start + characters)
        start = blank if blank >= 0 else start
    end = text.find(" ", start + characters, start + 2 * characters)
    return text[start : end if end >= 0 else start + characters]

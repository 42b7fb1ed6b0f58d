"""The canonical form of a text: what rewriting leaves alone, at equal length, so that places need no table.

Letters and digits in lower case stay; whatever else there is becomes blanks: punctuation, escapes, entities, line numbers.
Re-wrapping, quoting, indenting, fencing and escaping then change the blanks alone.
"""

from __future__ import annotations

import re
from struct import unpack

PAD = b"\0"  # within a word, where an escape was longer than its letter
BLANK = b" \0"

_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789\0") | frozenset(range(128, 256))
_TABLE = bytes(byte if byte in _KEPT else ord(" ") for byte in range(256))

# Backslashes without end are looked at once: an escape begins where they begin.
_UNICODE_ESCAPE = re.compile(rb"(?<!\\)(?:\\+ud[89ab][0-9a-f]{2}\\+ud[c-f][0-9a-f]{2}|\\+u[0-9a-f]{4})")
_ESCAPES_IN_A_ROW = re.compile(rb"(?<!\\)(?:\\+u[0-9a-f]{4})+")
_LETTER_ESCAPE = re.compile(rb"\\[nrtbf]")
_ENTITY = re.compile(rb"&(?:amp;)*(?:amp|lt|gt|quot|apos|nbsp|#x?[0-9a-f]{1,5});")
# U+0080-00BF; U+2000-2BFF (dashes, quotes, arrows, boxes); U+3000-303F; full-width punctuation; the byte order mark.
_PUNCTUATION = (
    (b"\xc2", re.compile(rb"\xc2[\x80-\xbf]"), b"  "),
    (b"\xe2", re.compile(rb"\xe2[\x80-\xaf][\x80-\xbf]"), b"   "),
    (b"\xe3\x80", re.compile(rb"\xe3\x80[\x80-\xbf]"), b"   "),
    (b"\xef", re.compile(rb"\xef(?:\xbc[\x81-\x8f\x9a-\xa0\xbb-\xbf]|\xbd[\x80\x9b-\xa5]|\xbb\xbf)"), b"   "),
)
_NUMBER = rb"[ \t>\"]*l?(\d{1,6})(?=[:.|)\]\t]|\\t| +\||\xe2\x86\x92)"
_NUMBERED = tuple((line, re.compile(re.escape(line) + _NUMBER)) for line in (b"\n", rb"\n"))
_FEWEST_NUMBERS = 3

# A letter of Chinese, Japanese, Korean, Thai, Hindi is a word of its own: they put no blanks between words.
_SINGLE = re.compile(rb"[\xe0\xe3-\xed]")
_WORD = re.compile(rb"[\xe0\xe3-\xed]..|[^ \xe0\xe3-\xed]+", re.DOTALL)

_GROWING = re.compile("[\u0130\u023a\u023e]")  # letters that take more bytes in lower case; some others take fewer
_TAILS = bytes(range(0x80, 0xC0))
_ALL_BUT_SINGLES = bytes(byte for byte in range(256) if byte != 0xE0 and not 0xE3 <= byte <= 0xED)
_ALL_BUT_IDEOGRAPHS = bytes(byte for byte in range(256) if not 0xE3 <= byte <= 0xED)


def encoded(text: str) -> bytes:
    """Return the bytes that offsets count: UTF-8, where a lone surrogate takes three."""
    return text.encode("utf-8", "surrogatepass")


def canonical(text: str) -> bytes:
    """Return the canonical form of `text`, as long as `encoded(text)`."""
    data = encoded(text.lower())
    if not text.isascii() and (len(data) != len(encoded(text)) or _GROWING.search(text) is not None):
        data = encoded("".join([_lower(letter) for letter in text]))
    data = _without_line_numbers(data)
    if b"\\" in data:
        if b"\\u" in data:
            data = _ESCAPES_IN_A_ROW.sub(_decoded, data)
        data = _LETTER_ESCAPE.sub(b"  ", data)
    if b"&" in data:
        data = _ENTITY.sub(lambda match: b" " * len(match[0]), data)
    if not data.isascii():
        for lead, signs, blanks in _PUNCTUATION:
            if lead in data:
                data = signs.sub(blanks, data)
    return data.translate(_TABLE)


def squeezed(canon: bytes) -> bytes:
    """Return a canonical form without its blanks: what is compared."""
    return canon.translate(None, BLANK)


def words(canon: bytes) -> list[bytes]:
    """Return the words of a canonical form."""
    canon = canon.translate(None, PAD)
    found = canon.split()
    if canon.isascii() or _SINGLE.search(canon) is None:
        return found
    split: list[bytes] = []
    for word in found:
        if word.isascii():
            split.append(word)
        elif 3 * singles(word) == len(word):
            split += unpack("3s" * (len(word) // 3), word)
        else:
            split += _WORD.findall(word)
    return split


def singles(canon: bytes) -> int:
    """Return how many of the words of a canonical form are single letters of such a script."""
    return 0 if canon.isascii() else len(canon.translate(None, _ALL_BUT_SINGLES))


def letters(shape: bytes) -> int:
    """Return how much a squeezed form says, in letters of an alphabet; a Chinese, Japanese or Korean one counts for three."""
    if shape.isascii():
        return len(shape)
    return len(shape.translate(None, _TAILS)) + 2 * len(shape.translate(None, _ALL_BUT_IDEOGRAPHS))


def is_boundary(canon: bytes, at: int) -> bool:
    """Tell whether no word of `canon` goes on across the place `at`."""
    if not 0 < at < len(canon) or canon[at] in BLANK or canon[at - 1] in BLANK:
        return True
    if canon[at] & 0xC0 == 0x80:
        return False
    return _is_single(canon[at]) or (at >= 3 and _is_single(canon[at - 3]))


def _is_single(lead: int) -> bool:
    return lead == 0xE0 or 0xE3 <= lead <= 0xED


def _lower(letter: str) -> str:
    low = letter.lower()
    return low if len(encoded(low)) == len(encoded(letter)) else letter


def _decoded(match: re.Match[bytes]) -> bytes:
    run = match[0]
    if b"\\\\" not in run:
        letters = run.decode("unicode_escape").lower()
        found = encoded(letters)
        width = len(found) * 6 // len(run)
        if len(found) * 6 == width * len(run) and {len(encoded(letter)) for letter in set(letters)} == {width}:
            padded = bytearray(len(run))
            for i in range(width):
                padded[i::6] = found[i::width]
            # Half of a letter beyond U+FFFF is no letter.
            if max(letters) < "\ud800" or min(letters) > "\udfff":
                return bytes(padded)
    return _UNICODE_ESCAPE.sub(_letter, run)


def _letter(match: re.Match[bytes]) -> bytes:
    units = [int(unit[:4], 16) for unit in match[0].split(b"u")[1:]]
    code = units[0] if len(units) == 1 else 0x10000 + ((units[0] - 0xD800) << 10) + (units[1] - 0xDC00)
    return encoded(chr(code).lower())[: len(match[0])].ljust(len(match[0]), PAD)


def _without_line_numbers(data: bytes) -> bytes:
    """Blank the numbers at the heads of lines, where at least three in a row count upward by one."""
    # In a JSON string the lines are told by their escapes.
    line, number = _NUMBERED[data.count(rb"\n") > data.count(b"\n")]
    found = [(int(match[1]), match.start(1) - len(line), match.end(1) - len(line)) for match in number.finditer(line + data)]
    if len(found) < _FEWEST_NUMBERS:
        return data
    out = bytearray(data)
    run: list[tuple[int, int]] = []
    last = -1
    for value, start, end in found:
        if value != last + 1:
            _blank(out, run)
            run = []
        last = value
        run.append((start, end))
    _blank(out, run)
    return bytes(out)


def _blank(out: bytearray, run: list[tuple[int, int]]) -> None:
    if len(run) >= _FEWEST_NUMBERS:
        for start, end in run:
            start -= out[start - 1] == ord("l")  # L12
            out[start:end] = b" " * (end - start)

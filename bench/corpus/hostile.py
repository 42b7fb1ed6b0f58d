"""Texts that bring out what grows faster than they do."""

from __future__ import annotations

from collections.abc import Callable

SIZE = 100_000  # bytes


def _repeated(unit: str) -> Callable[[int], str]:
    length = len(unit.encode(errors="surrogatepass"))
    return lambda size: unit * (size // length)


def _objects(size: int) -> str:
    return '[{"a":' * (3_000 * size // SIZE)


def _counted(size: int) -> str:
    return "\n".join(f"{number}: worker {number} said that all is well, as before" for number in range(size // 50))


# Each by how many bytes it shall have; but for the objects, that are three thousand at the full size.
HOSTILE: dict[str, Callable[[int], str]] = {
    "one letter": _repeated("a"),
    "backslashes": _repeated("\\"),
    "one repeated line": _repeated("the same line again and again, with eleven words in it\n"),
    '[{"a": x 3,000': _objects,
    "lone surrogates": _repeated("\ud800"),
    "surrogates and words": _repeated("\udc00 word \ud83d again "),
    "blanks": _repeated(" "),
    "counted lines": _counted,
    "escapes": _repeated("\\u0061"),
    "escaped escapes": _repeated("\\\\\\\\u00e9 "),
    "entities": _repeated("&amp;"),
    "two words": _repeated("ab cd "),
    "one Chinese character": _repeated("\u5b57"),
    "open objects": _repeated('{"a": "b", '),
    "empty lists": _repeated("[] "),
}

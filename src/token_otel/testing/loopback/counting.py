"""Counting: the encodings by which the loopback providers bill, built from the rank files without the network."""

import gzip
import threading
from functools import lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias

import tiktoken

EncodingName: TypeAlias = Literal["o200k_base", "cl100k_base"]

# Source: tiktoken_ext/openai_public.py of tiktoken (MIT); a test compares.
PATTERNS: dict[EncodingName, str] = {
    "o200k_base": "|".join(
        [
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
            r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
            r"""\p{N}{1,3}""",
            r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
            r"""\s*[\r\n]+""",
            r"""\s+(?!\S)""",
            r"""\s+""",
        ]
    ),
    "cl100k_base": (
        r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"""
    ),
}
SIZES: dict[EncodingName, int] = {"o200k_base": 199_998, "cl100k_base": 100_256}

_encodings: dict[EncodingName, tiktoken.Encoding] = {}
_lock = threading.Lock()


def ranks(name: EncodingName) -> dict[bytes, int]:
    """Read a rank file: N bytes with the length of each token, then the tokens' bytes, in rank order."""
    data = gzip.decompress((files("token_otel") / "tokens" / "data" / f"{name}.ranks.gz").read_bytes())
    at = size = SIZES[name]
    table: dict[bytes, int] = {}
    for rank in range(size):
        table[data[at : at + data[rank]]] = rank
        at += data[rank]
    return table


def encoding(name: EncodingName) -> tiktoken.Encoding:
    """Give the encoding, loaded once per process at its first use. No special tokens: text is text."""
    with _lock:
        if name not in _encodings:
            _encodings[name] = tiktoken.Encoding(name=name, pat_str=PATTERNS[name], mergeable_ranks=ranks(name), special_tokens={})
        return _encodings[name]


@lru_cache(maxsize=8_192)
def encode(name: EncodingName, text: str) -> tuple[int, ...]:
    """Encode a text. A history that is sent again is encoded once."""
    return tuple(encoding(name).encode_ordinary(text))

"""Encodings of OpenAI's models, built from the rank files in the wheel instead of a download.

`tiktoken.get_encoding` fetches its ranks over HTTP, without a time limit, at the first use: behind a firewall it blocks
for minutes. Here nothing touches the network. Source of the patterns: tiktoken's `openai_public` (MIT), compared in a test.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import tiktoken

EncodingName: TypeAlias = Literal["o200k_base", "cl100k_base"]

SIZES: dict[EncodingName, int] = {"o200k_base": 199_998, "cl100k_base": 100_256}

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


@cache
def encoding(name: EncodingName) -> tiktoken.Encoding:
    """Build an encoding; takes 0.3-0.6 s and about 60 MB once per process.

    Raises:
        ValueError: The rank file does not hold the tokens it should.
    """
    import tiktoken

    return tiktoken.Encoding(name=name, pat_str=PATTERNS[name], mergeable_ranks=ranks(name), special_tokens={})


def ranks(name: EncodingName) -> dict[bytes, int]:
    """Read the merge ranks: N lengths of one byte each, then the N tokens' bytes, in the order of their ranks.

    Raises:
        ValueError: The lengths do not add up to the bytes that follow.
    """
    data = gzip.decompress(files("token_otel.tokens").joinpath("data", f"{name}.ranks.gz").read_bytes())
    count = SIZES[name]
    lengths = data[:count]
    if count + sum(lengths) != len(data):
        raise ValueError(f"the ranks of {name} hold {len(data)} bytes, but their lengths say {count + sum(lengths)}")
    table: dict[bytes, int] = {}
    start = count
    for rank, length in enumerate(lengths):
        table[data[start : start + length]] = rank
        start += length
    return table

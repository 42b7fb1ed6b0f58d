"""The encodings are OpenAI's, byte for byte, and nothing is fetched."""

import base64
import hashlib
import socket
from typing import NoReturn

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st
from tiktoken_ext import openai_public

from token_otel.tokens.encoding import PATTERNS, SIZES, EncodingName, encoding, ranks

# What tiktoken expects of the files that it downloads.
SHA256: dict[EncodingName, str] = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch):
    """Whoever opens a socket fails."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("the network was touched")

    monkeypatch.setattr(socket, "socket", refuse)


@pytest.mark.parametrize("name", SHA256)
def test_the_rank_file_is_the_original(name: EncodingName):
    """Written in the original's way it has the sha256 that tiktoken demands."""
    digest = hashlib.sha256()
    for token, rank in ranks(name).items():
        digest.update(base64.b64encode(token) + b" " + str(rank).encode() + b"\n")

    assert digest.hexdigest() == SHA256[name]


@pytest.mark.parametrize("name", SHA256)
def test_the_pattern_is_tiktokens(name: EncodingName, monkeypatch: pytest.MonkeyPatch):
    """Of the release that is installed."""

    def no_download(tiktoken_bpe_file: str, expected_hash: str | None = None) -> dict[bytes, int]:
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", no_download)

    assert PATTERNS[name] == getattr(openai_public, name)()["pat_str"]


@pytest.mark.parametrize(
    ("name", "text", "tokens"),
    [
        ("o200k_base", "hello world", [24912, 2375]),
        ("cl100k_base", "hello world", [15339, 1917]),
        ("cl100k_base", "tiktoken is great!", [83, 1609, 5963, 374, 2294, 0]),
    ],
)
def test_encodes_as_tiktoken_does(name: EncodingName, text: str, tokens: list[int]):
    """The figures are those of tiktoken's own documentation."""
    assert encoding(name).encode_ordinary(text) == tokens


@given(st.text())
def test_what_is_encoded_can_be_decoded(text: str):
    """No byte is lost; half a surrogate pair becomes the replacement character."""
    made = encoding("o200k_base")

    assert made.decode(made.encode_ordinary(text)) == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_an_encoding_is_built_once():
    """It takes half a second and 60 MB."""
    assert encoding("o200k_base") is encoding("o200k_base")
    assert isinstance(encoding("o200k_base"), tiktoken.Encoding)


def test_a_damaged_rank_file_is_refused(monkeypatch: pytest.MonkeyPatch):
    """With both numbers."""
    monkeypatch.setitem(SIZES, "o200k_base", SIZES["o200k_base"] - 1)

    with pytest.raises(ValueError, match=r"^the ranks of o200k_base hold \d+ bytes, but their lengths say \d+$"):
        ranks("o200k_base")

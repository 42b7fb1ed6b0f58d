"""`OverrideBook`: the user's own prices, and one sentence for each mistake in them."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from token_otel import Usage
from token_otel.prices import cost_of
from token_otel.prices.overrides import OverrideBook, PriceFileError

KEYS = (
    "audio_cache_read, audio_input, audio_output, cache_read, cache_write, cache_write_1h, cache_write_5m, citation, image_cache_read, "
    "image_input, image_output, input, match, output, per_request, provider, reasoning, video_cache_read, video_input, video_output, "
    "web_search"
)


def write(tmp_path: Path, text: str, name: str = "prices.toml") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def usd(book: OverrideBook, model: str, usage: Usage, provider: str | None = None) -> Decimal | None:
    return cost_of(usage, book.find(provider=provider, model=model, at_ns=0)).total_usd


def test_prices_a_call(tmp_path: Path):
    """USD per million tokens, read as decimals; fees apiece."""
    book = OverrideBook.read(
        write(
            tmp_path,
            """
            version = "2026-11"
            [[model]]
            match = "my-model-*"
            input = 0.1
            output = 2
            cache_read = 0.01
            cache_write = 0.2
            per_request = 0.003
            web_search = 0.02
            """,
        )
    )
    usage = Usage(input=1_000_000, output=100_000, cache_read=500_000, cache_write_5m=100_000, web_searches=1)

    # 400,000 x $0.10 = 0.04; read 500,000 x $0.01 = 0.005; written 100,000 x $0.20 = 0.02; out 100,000 x $2 = 0.2; fees 0.023
    assert usd(book, "My-Model-7", usage) == Decimal("0.288")


def test_says_that_it_is_an_override(tmp_path: Path):
    """With the file's name, not its path, and the pattern that matched."""
    tariff = OverrideBook.read(write(tmp_path, '[[model]]\nmatch = "Mine-*"\ninput = 1')).find(provider=None, model="mine-1", at_ns=0)

    assert tariff is not None
    assert (tariff.source, tariff.version, tariff.model) == ("override", "prices.toml", "Mine-*")


def test_json_does_as_well(tmp_path: Path):
    """With the same keys, exact to the digit."""
    book = OverrideBook.read(write(tmp_path, json.dumps({"model": [{"match": "m", "input": 0.1}]}), "prices.json"))

    assert usd(book, "m", Usage(input=3)) == Decimal("0.0000003")


def test_the_last_entry_that_matches_wins(tmp_path: Path):
    """So that an exception stands below its rule."""
    book = OverrideBook.read(write(tmp_path, '[[model]]\nmatch = "*"\ninput = 1\n[[model]]\nmatch = "b*"\ninput = 2'))

    assert usd(book, "a", Usage(input=1_000_000)) == 1
    assert usd(book, "b1", Usage(input=1_000_000)) == 2


def test_a_provider_narrows_an_entry(tmp_path: Path):
    """Under any of its names."""
    book = OverrideBook.read(write(tmp_path, '[[model]]\nprovider = "azure_openai"\nmatch = "gpt-5"\ninput = 1'))

    assert usd(book, "gpt-5", Usage(input=1_000_000), "azure.ai.openai") == 1
    assert usd(book, "gpt-5", Usage(input=1_000_000), "openai") is None
    assert usd(book, "gpt-5", Usage(input=1_000_000)) is None


def test_free_is_a_price(tmp_path: Path):
    """0 is known."""
    assert usd(OverrideBook.read(write(tmp_path, '[[model]]\nmatch = "m"\ninput = 0\noutput = 0')), "m", Usage(input=9, output=9)) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "found no list `model` at the top, but accepted are `version` and a list `model` of entries"),
        ("model = 3", "found no list `model` at the top, but accepted are `version` and a list `model` of entries"),
        ("model = []\nmodels = []", "found models at the top, but accepted are `version` and a list `model` of entries"),
        ("model = [3]", "model entry 1: found 3, but a table of keys is accepted"),
        ('[[model]]\nmatch = "m"\nprice = 1', f"model entry 1: found the key `price`, but accepted are {KEYS}"),
        ("[[model]]\ninput = 1", 'model entry 1: found match = None, but a pattern such as "my-gpt-*" is accepted'),
        ('[[model]]\nmatch = ""\ninput = 1', "model entry 1: found match = '', but a pattern such as \"my-gpt-*\" is accepted"),
        ('[[model]]\nmatch = "m"\nprovider = 1\ninput = 1', 'model entry 1: found provider = 1, but a name such as "azure" is accepted'),
        ('[[model]]\nmatch = "m"', "model entry 1: found no price, but at least `input` or `output` is accepted"),
        ('[[model]]\nmatch = "m"\ninput = "1"', "model entry 1: found input = '1', but a number of USD is accepted"),
        ('[[model]]\nmatch = "m"\ninput = true', "model entry 1: found input = True, but a number of USD is accepted"),
        ('[[model]]\nmatch = "m"\ninput = -1', "model entry 1: found input = -1, but a number of USD from 0 is accepted"),
        ('[[model]]\nmatch = "m"\ninput = nan', "model entry 1: found input = NaN, but a number of USD from 0 is accepted"),
        (
            '[[model]]\nmatch = "a"\ninput = 1\n[[model]]\nmatch = "b"\ninput = inf',
            "model entry 2: found input = Infinity, but a number of USD from 0 is accepted",
        ),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, sentence: str):
    """It names the file, the entry, what was found and what is accepted."""
    path = write(tmp_path, text)
    with pytest.raises(PriceFileError) as caught:
        OverrideBook.read(path)

    assert str(caught.value) == f"{path}: {sentence}"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("p.toml", b"[[model", "is not valid toml: "),
        ("p.json", b"{", "is not valid json: "),
        ("p", b"[[model", "is not valid TOML: "),
        ("p.json", b"[]", "holds a list, but an object with a list `model` is accepted"),
        ("p.toml", b"\xff\xfe", "is not UTF-8 text, but a .toml or .json file of prices is accepted"),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_sentence(tmp_path: Path, name: str, data: bytes, sentence: str):
    """It names the file."""
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(PriceFileError) as caught:
        OverrideBook.read(str(path))

    assert str(caught.value).startswith(f"{path}: {sentence}")


def test_a_folder_is_no_price_file(tmp_path: Path):
    """Nor is what is not there."""
    with pytest.raises(PriceFileError, match="cannot be read \\(Is a directory\\)"):
        OverrideBook.read(str(tmp_path))

"""`PriceFile`: prices as somebody writes them, and one sentence for each mistake in them."""

import json
import os
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from token_otel.prices.price_file import PriceFile, PriceFileError, parse, read, read_all, unpriced

KEYS = (
    "audio_cache_read, audio_input, audio_output, cache_read, cache_write, cache_write_1h, cache_write_5m, citation, from, gpu_hour, "
    "image_cache_read, image_input, image_output, input, like, match, multiplier, output, per_request, provider, reasoning, regex, "
    "tiers, tokens_per_hour, video_cache_read, video_input, video_output, web_search, when"
)
TOP = "but accepted are `version`, `settings`, `provider` and a list `model` of entries"
TIERS = "but a list of tables such as { above = 200000, input = 4.4 } is accepted"


def toml(text: str) -> PriceFile:
    return parse(text, name="prices.toml", form="toml")


def refusal(text: str, form: str = "toml") -> str:
    with pytest.raises(PriceFileError) as caught:
        parse(text, name="p", form=form)
    return str(caught.value)


def test_holds_what_was_written():
    """Rates are decimals to the digit, times are UTC, names lose their case."""
    file = toml(
        """
        version = "2026-11"
        settings = { multiplier = 0.9 }
        provider.azure_openai.multiplier = 0.8
        [[model]]
        provider = "bedrock"
        match = "My-*"
        like = "openai/gpt-4o"
        multiplier = 1.1
        from = 2026-12-01
        when = { service_tier = "Flex", batch = false, hours = "22:00-06:30, 12:00-24:00", days = "fri-mon, wed" }
        input = 0.1
        input_audio = 3
        tiers = [{ above = 200000, input = 0.2 }, { above = 100, output = 7 }]
        """
    )

    [entry] = file.entries
    assert (file.version, file.multiplier, file.multipliers) == ("2026-11", Decimal("0.9"), {"azure": Decimal("0.8")})
    assert (entry.place, entry.match, entry.provider) == ("prices.toml, line 5 (model entry 1)", "My-*", "aws")
    assert (entry.like, entry.multiplier) == (("openai", "gpt-4o"), Decimal("1.1"))
    assert entry.usd == {"input": Decimal("0.1"), "audio_input": Decimal(3)}
    assert entry.tiers == ((100, {"output": Decimal(7)}), (200_000, {"input": Decimal("0.2")}))
    assert entry.condition.start == datetime(2026, 12, 1, tzinfo=UTC)
    assert (entry.condition.service_tier, entry.condition.batch) == ("flex", False)
    assert entry.condition.hours == ((time(22), time(6, 30)), (time(12), time()))
    assert entry.condition.days == {4, 5, 6, 0, 2}


def test_json_says_the_same():
    """With the same keys, exact to the digit; a date is a text."""
    file = parse(json.dumps({"model": [{"match": "m", "input": 0.1, "from": "2026-12-01T02:00:00+02:00"}]}), name="p.json", form="json")

    [entry] = file.entries
    assert (entry.place, entry.usd, file.version) == ("p.json, model entry 1", {"input": Decimal("0.1")}, "p.json")
    assert entry.condition.start == datetime(2026, 12, 1, tzinfo=UTC)


def test_a_discount_needs_no_entries():
    """Multipliers alone are a price file."""
    assert toml("settings.multiplier = 0.85").multiplier == Decimal("0.85")
    assert toml("provider.openai.multiplier = 0.85").multipliers == {"openai": Decimal("0.85")}


def test_a_machine_of_ones_own_has_a_price_per_token():
    """What an hour costs, over the tokens that it serves: $3.90 / 7,000,000 is $0.557142857143 per million."""
    [entry] = toml('[[model]]\nmatch = "llama*"\ngpu_hour = 3.9\ntokens_per_hour = 7e6').entries

    assert entry.usd == {"input": Decimal("0.557142857143"), "output": Decimal("0.557142857143")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", f"p: found no list `model` at the top, {TOP}"),
        ("model = 3", f"p: found no list `model` at the top, {TOP}"),
        ("model = []\nmodels = []", f"p: found models at the top, {TOP}"),
        ("model = [3]", "p, model entry 1: found 3, but a table of keys is accepted"),
        ("settings = 3", "p, settings: found 3, but a table with `multiplier` is accepted"),
        ("settings.on_unknown = 0", "p, settings: found the key `on_unknown`, but accepted are multiplier"),
        ("settings.multiplier = '9'", "p, settings: found multiplier = '9', but a number such as 0.9 is accepted"),
        ("provider = 3", "p, provider: found 3, but a table of keys is accepted"),
        ("provider.azure = 0.9", "p, provider azure: found Decimal('0.9'), but a table with `multiplier` is accepted"),
        ("provider.azure.multiplier = -1", "p, provider azure: found multiplier = -1, but a number such as 0.9 from 0 is accepted"),
    ],
)
def test_a_mistake_at_the_top_is_one_sentence(text: str, sentence: str):
    """It names the file, what was found and what is accepted."""
    assert refusal(text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("match = 'm'\nprice = 1", f"found the key `price`, but accepted are {KEYS}"),
        ("input = 1", 'found match = None, but a pattern such as "my-gpt-*" is accepted'),
        ("match = ''\ninput = 1", "found match = '', but a pattern such as \"my-gpt-*\" is accepted"),
        ("match = 'm'\nregex = 'm'\ninput = 1", "found both match and regex, but one of them is accepted"),
        ("regex = '('\ninput = 1", "found regex = '(', but a regular expression such as \"^my-gpt-\" is accepted"),
        ("regex = 3\ninput = 1", 'found regex = 3, but a regular expression such as "^my-gpt-" is accepted'),
        ("match = 'm'\nprovider = 1\ninput = 1", 'found provider = 1, but a name such as "azure" is accepted'),
        ("match = 'm'\nlike = 3", 'found like = 3, but a model such as "openai/gpt-4o" is accepted'),
        ("match = 'm'\nlike = '/'", "found like = '/', but a model such as \"openai/gpt-4o\" is accepted"),
        ("match = 'm'\nlike = 'a*'", "found like = 'a*', but a `*` is accepted at its end alone, where match has one there too: \"gov-*\""),
        (
            "match = 'm'\ninput = 1\nmultiplier = 2",
            "found multiplier without like, but it multiplies the prices of the model that `like` names",
        ),
        ("match = 'm'", "found no price, but at least `input`, `output`, `per_request`, `gpu_hour` or `like` is accepted"),
        ("match = 'm'\ninput = '1'", "found input = '1', but a number of USD is accepted"),
        ("match = 'm'\ninput = true", "found input = True, but a number of USD is accepted"),
        ("match = 'm'\ninput = -1", "found input = -1, but a number of USD from 0 is accepted"),
        ("match = 'm'\ninput = nan", "found input = NaN, but a number of USD from 0 is accepted"),
        ("match = 'm'\ngpu_hour = 1", "found one of gpu_hour and tokens_per_hour, but both together are accepted"),
        ("match = 'm'\ngpu_hour = 1\ntokens_per_hour = 0", "found tokens_per_hour = 0, but a number above 0 is accepted"),
        ("match = 'm'\ninput = 1\nfrom = 3", "found from = 3, but a date such as 2026-12-01 is accepted"),
        ("match = 'm'\ninput = 1\nfrom = 'soon'", "found from = 'soon', but a date such as 2026-12-01 is accepted"),
        ("match = 'm'\ninput = 1\nwhen = 3", 'found when = 3, but a table such as { service_tier = "flex" } is accepted'),
        ("match = 'm'\ninput = 1\nwhen.tier = 'x'", "found the key `tier` in when, but accepted are service_tier, batch, hours, days"),
        ("match = 'm'\ninput = 1\nwhen.service_tier = 1", 'found service_tier = 1, but a name such as "flex" is accepted'),
        ("match = 'm'\ninput = 1\nwhen.batch = 1", "found batch = 1, but true and false are accepted"),
        (
            "match = 'm'\ninput = 1\nwhen.hours = '9-17'",
            "found hours = '9-17', but hours of the day in UTC such as \"01:00-04:00, 06:00-10:00\" are accepted",
        ),
        (
            "match = 'm'\ninput = 1\nwhen.days = 'noday'",
            'found days = \'noday\', but days of the week such as "mon-fri" or "sat, sun" are accepted',
        ),
        ("match = 'm'\ninput = 1e400", "found input = 1e+400, but a number of USD up to 1e+12 is accepted"),
        (
            "match = 'm'\ngpu_hour = 1\ntokens_per_hour = 1e-30",
            "found 1e+36 USD per million tokens by gpu_hour and tokens_per_hour, but at most 1e+12 is accepted",
        ),
        (
            "match = 'm'\ninput = 1\nfrom = '9999-12-31T23:59-14:00'",
            "found from = '9999-12-31T23:59-14:00', but a date such as 2026-12-01 is accepted",
        ),
        (
            "regex = 'a{99999999999}'\ninput = 1",
            "found regex = 'a{99999999999}', but a regular expression such as \"^my-gpt-\" is accepted",
        ),
        (
            f"match = 'm'\ninput = 1\ntiers = [{{ above = 0x{'f' * 5000} }}]",
            "found a number too long to be shown, but prices in USD are accepted",
        ),
        ("match = 'm'\ntiers = 3", f"found tiers = 3, {TIERS}"),
        ("match = 'm'\ntiers = [3]", f"found 3 among tiers, {TIERS}"),
        ("match = 'm'\ntiers = [{ input = 1 }]", "found above = None among tiers, but a number of tokens of its own is accepted"),
        (
            "match = 'm'\ntiers = [{ above = 1, input = 1 }, { above = 1, input = 2 }]",
            "found above = 1 among tiers, but a number of tokens of its own is accepted",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_one_sentence(text: str, sentence: str):
    """It names the file, the line, the entry, what was found and what is accepted."""
    good = '[[model]]\nmatch = "a"\ninput = 1\n'

    assert refusal(f"{good}[[model]]\n{text}") == f"p, line 4 (model entry 2): {sentence}"


def test_a_mistake_among_tiers_names_what_they_take():
    """Prices and a threshold."""
    assert refusal("[[model]]\nmatch = 'm'\ntiers = [{ above = 1, per = 1 }]").startswith(
        "p, line 1 (model entry 1): found the key `per` among tiers, but accepted are above and audio_cache_read, "
    )


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("p.toml", b"[[model]]\nmatch = m\n", "is not valid TOML: .*line 2"),
        ("p.json", b"{\n", "is not valid JSON: .*line 2"),
        ("p", b"[[model", "is not valid TOML: "),
        ("p.json", b"[]", "holds a list, but an object with a list `model` is accepted"),
        ("p.toml", b"\xff\xfe", "is not UTF-8 text, but a .toml or .json file of prices is accepted"),
        ("p.toml", b"[[model]]\ninput = 1e99999999999999999999\n", "holds a number beyond all bounds"),
        ("p.json", b'{"model": [{"input": 1e99999999999999999999}]}', "holds a number beyond all bounds"),
        ("p.json", b"[" * 100_000, "is not valid JSON: "),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_sentence(tmp_path: Path, name: str, data: bytes, sentence: str):
    """It names the file, and the line where the form knows it."""
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(PriceFileError, match=f"^{path}: {sentence}"):
        read(str(path))


def test_a_folder_is_no_price_file(tmp_path: Path):
    """Nor is what is not there."""
    with pytest.raises(PriceFileError, match="cannot be read \\(Is a directory\\)"):
        read(str(tmp_path))


def test_the_variable_names_several_files(tmp_path: Path):
    """One that cannot be used is told, and the others are read."""
    for name, text in (
        ("a.toml", '[[model]]\nmatch = "a"\ninput = 1'),
        ("bad.toml", "no"),
        ("c.json", '{"model": [{"match": "c", "input": 1}]}'),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    setting = os.pathsep.join([str(tmp_path / name) for name in ("a.toml", "bad.toml", "c.json")])
    errors: list[PriceFileError] = []
    files = read_all(f" {setting}{os.pathsep}", on_error=errors.append)

    assert [file.version for file in files] == ["a.toml", "c.json"]
    assert len(errors) == 1
    assert str(errors[0]).startswith(f"{tmp_path}/bad.toml: is not valid TOML: ")


def test_the_variable_holds_json_itself():
    """Where it starts with a brace, colons and all."""
    errors: list[PriceFileError] = []
    [file] = read_all(' {"model": [{"match": "m", "input": 1}]}', on_error=errors.append)
    nothing = read_all('{"model": [{"match": "m", "price": 1}]}', on_error=errors.append)

    assert (file.version, len(file.entries), nothing) == ("TOKEN_OTEL_PRICES", 1, [])
    assert [str(error).partition(", but")[0] for error in errors] == ["TOKEN_OTEL_PRICES, model entry 1: found the key `price`"]


def test_what_to_write_for_a_model_fits_into_any_log():
    """Its name comes from a response."""
    sentence = unpriced("a\ud800", 'x"\n' + "y" * 1_000)

    assert sentence.isascii()
    assert sentence.isprintable()
    assert len(sentence) < 1_000

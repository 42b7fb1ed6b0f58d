"""`OverrideBook`: the user's own prices, from TOML or JSON."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from token_otel.prices.names import book_provider
from token_otel.prices.rates import Rates, Tariff

_RATE_KEYS = {"per_request": "request_usd", "web_search": "web_search_usd", "cache_write": "cache_write_5m"} | {
    field.name: field.name for field in fields(Rates) if not field.name.endswith("_usd")
}
_KEYS = {"provider", "match", *_RATE_KEYS}


class PriceFileError(ValueError):
    """A price file that cannot be used, in one sentence with the file and the place."""


class OverrideBook:
    """Prices that the user states; the last entry that matches wins."""

    def __init__(self, entries: list[tuple[str | None, str, Tariff]]) -> None:
        self._entries = entries

    @classmethod
    def read(cls, path: str) -> OverrideBook:
        """Read a `.toml` or `.json` file of `[[model]]` entries: `match`, optional `provider`, and USD per million tokens.

        Raises:
            PriceFileError: The file is missing, is not TOML or JSON, or holds a key or value that is not accepted.
        """
        document = _parse(path)
        models = document.get("model")
        if not isinstance(models, list) or set(document) - {"version", "model"}:
            other = ", ".join(sorted(set(document) - {"version", "model"})) or "no list `model`"
            raise PriceFileError(f"{path}: found {other} at the top, but accepted are `version` and a list `model` of entries")
        return cls([_entry(path, number, entry) for number, entry in enumerate(cast("list[Any]", models), 1)])

    def find(self, *, provider: str | None, model: str, at_ns: int, service_tier: str | None = None) -> Tariff | None:
        """Return the tariff of the last entry whose provider and pattern match, whatever the time or tier."""
        wanted = book_provider(provider)
        name = model.lower()
        for entry_provider, pattern, tariff in reversed(self._entries):
            if entry_provider in (None, wanted) and fnmatchcase(name, pattern):
                return tariff
        return None


def _parse(path: str) -> Mapping[str, Any]:
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            document: Any = json.loads(text, parse_float=Decimal)
        else:
            document = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise PriceFileError(f"{path}: cannot be read ({error.strerror}); TOKEN_OTEL_PRICES names a .toml or .json file") from error
    except UnicodeDecodeError as error:
        raise PriceFileError(f"{path}: is not UTF-8 text, but a .toml or .json file of prices is accepted") from error
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise PriceFileError(f"{path}: is not valid {file.suffix.lstrip('.') or 'TOML'}: {error}") from error
    if not isinstance(document, dict):
        raise PriceFileError(f"{path}: holds a {type(document).__name__}, but an object with a list `model` is accepted")
    return cast("Mapping[str, Any]", document)


def _entry(path: str, number: int, entry: Any) -> tuple[str | None, str, Tariff]:
    place = f"{path}: model entry {number}"
    if not isinstance(entry, dict):
        raise PriceFileError(f"{place}: found {entry!r}, but a table of keys is accepted")
    values = cast("dict[str, Any]", entry)
    if unknown := sorted(set(values) - _KEYS):
        raise PriceFileError(f"{place}: found the key `{unknown[0]}`, but accepted are {', '.join(sorted(_KEYS))}")
    match = values.get("match")
    if not isinstance(match, str) or not match:
        raise PriceFileError(f'{place}: found match = {match!r}, but a pattern such as "my-gpt-*" is accepted')
    provider = values.get("provider", "*")
    if not isinstance(provider, str):
        raise PriceFileError(f'{place}: found provider = {provider!r}, but a name such as "azure" is accepted')
    rates = {field: _usd(place, key, values[key]) for key, field in _RATE_KEYS.items() if key in values}
    if not rates:
        raise PriceFileError(f"{place}: found no price, but at least `input` or `output` is accepted")
    tariff = Tariff(steps=((0, Rates(**rates)),), source="override", version=Path(path).name, model=match)
    return None if provider == "*" else book_provider(provider), match.lower(), tariff


def _usd(place: str, key: str, value: Any) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise InvalidOperation
        usd = Decimal(value)
    except InvalidOperation:
        raise PriceFileError(f"{place}: found {key} = {value!r}, but a number of USD is accepted") from None
    if not usd.is_finite() or usd < 0:
        raise PriceFileError(f"{place}: found {key} = {value}, but a number of USD from 0 is accepted")
    return usd

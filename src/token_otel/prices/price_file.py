"""`PriceFile`: prices that somebody states, read from TOML or JSON; each mistake is one sentence."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from token_otel.prices.entry import Entry
from token_otel.prices.entry_fields import FieldError, entry_of, multiplier_of
from token_otel.prices.names import book_provider

VARIABLE = "TOKEN_OTEL_PRICES"
_AT_THE_TOP = "`version`, `settings`, `provider` and a list `model` of entries"


class PriceFileError(ValueError):
    """A price file that cannot be used, in one sentence with the file and the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """What a price file holds.

    Attributes:
        entries: In the order of the file.
        multiplier: What the prices beneath are multiplied with, at a provider without one of its own.
        multipliers: The same for single providers, by the book's name.
        version: The file's own version where it names one, else its name.
    """

    entries: tuple[Entry, ...]
    multiplier: Decimal
    multipliers: Mapping[str, Decimal]
    version: str


def read_all(setting: str, *, on_error: Callable[[PriceFileError], object]) -> list[PriceFile]:
    """Read what the variable names: JSON where it starts with a brace, else paths with `os.pathsep` between them.

    A file that cannot be used is told to `on_error` and left out.
    """
    files: list[PriceFile] = []
    inline = setting.lstrip().startswith("{")
    for source in [setting] if inline else filter(None, map(str.strip, setting.split(os.pathsep))):
        try:
            files.append(parse(source, name=VARIABLE, form="json") if inline else read(source))
        except PriceFileError as error:
            on_error(error)
    return files


def read(path: str) -> PriceFile:
    """Read a `.json` file, or TOML under any other name.

    Raises:
        PriceFileError: It cannot be read or parsed, or holds a key or value that is not accepted.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PriceFileError(f"{path}: cannot be read ({error.strerror}); {VARIABLE} names a .toml or .json file") from error
    except ValueError as error:
        raise PriceFileError(f"{path}: is not UTF-8 text, but a .toml or .json file of prices is accepted") from error
    return parse(text, name=path, form="json" if file.suffix.lower() == ".json" else "toml")


def parse(text: str, *, name: str, form: str) -> PriceFile:
    """Parse the text of a price file; `name` is what messages call it.

    Raises:
        PriceFileError: It is not of that form, or holds a key or value that is not accepted.
    """
    try:
        document: Any = json.loads(text, parse_float=Decimal) if form == "json" else tomllib.loads(text, parse_float=Decimal)
    except ArithmeticError:
        raise PriceFileError(f"{name}: holds a number beyond all bounds, but prices in USD are accepted") from None
    except (ValueError, RecursionError) as error:
        raise PriceFileError(f"{name}: is not valid {form.upper()}: {error}") from error
    if not isinstance(document, dict):
        raise PriceFileError(f"{name}: holds a {type(document).__name__}, but an object with a list `model` is accepted")
    top = cast("dict[str, Any]", document)
    if unknown := sorted(set(top) - {"version", "settings", "provider", "model"}):
        raise PriceFileError(f"{name}: found {', '.join(unknown)} at the top, but accepted are {_AT_THE_TOP}")
    models = top.get("model", [])
    if not isinstance(models, list) or not set(top) & {"model", "provider", "settings"}:
        raise PriceFileError(f"{name}: found no list `model` at the top, but accepted are {_AT_THE_TOP}")
    lines = _entry_lines(text) if form == "toml" else []
    entries: list[Entry] = []
    place = name
    try:
        place = f"{name}, settings"
        multiplier = multiplier_of(top.get("settings", {}))
        multipliers: dict[str, Decimal] = {}
        place = f"{name}, provider"
        for provider, settings in _table(top.get("provider", {})).items():
            place = f"{name}, provider {provider}"
            multipliers[book_provider(provider) or provider] = multiplier_of(settings)
        for number, values in enumerate(cast("list[Any]", models), 1):
            place = f"{name}, model entry {number}"
            if len(lines) == len(cast("list[Any]", models)):
                place = f"{name}, line {lines[number - 1]} (model entry {number})"
            entries.append(entry_of(_table(values), place))
    except FieldError as error:
        raise PriceFileError(f"{place}: {error}") from None
    except ValueError:  # Python does not write out integers of thousands of digits
        raise PriceFileError(f"{place}: found a number too long to be shown, but prices in USD are accepted") from None
    version = top.get("version")
    return PriceFile(
        entries=tuple(entries),
        multiplier=multiplier,
        multipliers=multipliers,
        version=version if isinstance(version, str) else Path(name).name,
    )


def unpriced(provider: str | None, model: str) -> str:
    """Return the sentence about a model without a price: it ends with the entry to write."""
    name, of, seller = _plain(model), "", ""
    if provider:
        of, seller = f" of {_plain(provider)}", f'provider = "{_plain(provider)}", '
    return (
        f"no price is known for {name}{of}; state one in the file that {VARIABLE} names: "
        f'[[model]] with {seller}match = "{name}", input = ..., output = ... in USD per million tokens'
    )


def _plain(name: str) -> str:
    """Return a name that any log can hold: it comes from a response, and may be anything."""
    return json.dumps(name[:200])[1:-1]


def _entry_lines(text: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*\"?model\"?\s*\]\]", line)]


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"found {value!r}, but a table of keys is accepted")
    return cast("dict[str, Any]", value)

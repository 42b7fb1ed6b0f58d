"""How old the prices are, and whether the user's own can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Any

from token_otel.doctor.finding import Finding
from token_otel.prices.price_file import read_all
from token_otel.settings import Settings

ABOUT = "Prices"

_OLD = timedelta(days=90)


def findings(env: Mapping[str, str], *, today: date | None = None) -> Iterator[Finding]:
    """Yield the age of the list prices, and each price file that cannot be used."""
    today = today or datetime.now(UTC).date()
    newest = newest_dated_price(today)
    name = f"genai-prices {version('genai-prices')}"
    if newest is None:
        yield Finding(about=ABOUT, grade="ok", found=f"{name}; none of its prices has a date.")
    elif today - newest > _OLD:
        found = f"{name}: its newest dated price is of {newest}, {(today - newest).days} days ago."
        yield Finding(about=ABOUT, grade="note", found=found, do="Get newer ones: pip install --upgrade genai-prices")
    else:
        yield Finding(about=ABOUT, grade="ok", found=f"{name}; its newest dated price is of {newest}.")
    bad: list[str] = []
    setting = Settings.from_env(env, on_error=_ignore).prices
    files = read_all(setting, on_error=lambda error: bad.append(str(error)))
    if files:
        names = ", ".join(file.version for file in files)
        yield Finding(about=ABOUT, grade="ok", found=f"Your own prices lie over them: {names}.")
    for sentence in bad:
        do = "Correct it; until then the prices beneath it are in force."
        yield Finding(about=ABOUT, grade="warning", found=f"{sentence}.", do=do)


def newest_dated_price(today: date) -> date | None:
    """Return the day of the last price change that genai-prices knows of, up to today."""
    from genai_prices import data_snapshot

    days: set[date] = set()
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            prices: Any = model.prices
            for price in prices if isinstance(prices, list) else ():  # pyright: ignore[reportUnknownVariableType]
                start: object = getattr(getattr(price, "constraint", None), "start_date", None)  # pyright: ignore[reportUnknownArgumentType]
                if isinstance(start, date) and start <= today:
                    days.add(start)
    return max(days, default=None)


def _ignore(_: str) -> None:
    """Another finding says what is bad."""

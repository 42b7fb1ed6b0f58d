"""The fields of a price file's entry: from what somebody wrote to an `Entry`, or a sentence about what is accepted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from fnmatch import translate
from typing import Any, cast

from token_otel.prices.entry import Condition, Entry, Usd, Window
from token_otel.prices.names import book_provider
from token_otel.prices.rates import MODALITIES, MTOK, RATE_NAMES

# Each key of a price, and the rate or fee that it states. The modalities are known under both orders of their words.
_PRICES: Mapping[str, str] = {
    **{name: name for name in RATE_NAMES if not name.endswith("_usd")},
    "cache_write": "cache_write_5m",
    "per_request": "request_usd",
    "web_search": "web_search_usd",
    **{f"{way}_{modality}": f"{modality}_{way}" for modality in MODALITIES for way in ("input", "output")},
}
_ACCEPTED_PRICES = sorted(key for key in _PRICES if key.partition("_")[2] not in MODALITIES)
_OTHERS = ("provider", "match", "regex", "like", "multiplier", "from", "tiers", "when", "gpu_hour", "tokens_per_hour")
_CONDITIONS = ("service_tier", "batch", "hours", "days")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")
_PREFIX = re.compile(r"[^*?\[]*\*")
_FINEST = Decimal("1e-12")
_LARGEST = 10**12  # a slip of the pen, and what arithmetic with 28 digits can take


class FieldError(ValueError):
    """A key or value that is not accepted, without its place."""


def multiplier_of(settings: Any) -> Decimal:
    """Return the `multiplier` of a table of settings; 1 where it has none."""
    if not isinstance(settings, dict):
        raise FieldError(f"found {settings!r}, but a table with `multiplier` is accepted")
    values = cast("dict[str, Any]", settings)
    _known(values, ("multiplier",))
    return _number("multiplier", values.get("multiplier", 1))


def entry_of(values: Mapping[str, Any], place: str) -> Entry:
    """Return the entry that stands at `place`.

    Raises:
        FieldError: A key or value is not accepted.
    """
    if unknown := sorted(set(values) - set(_PRICES) - set(_OTHERS)):
        raise FieldError(f"found the key `{unknown[0]}`, but accepted are {', '.join(sorted((*_OTHERS, *_ACCEPTED_PRICES)))}")
    match, pattern = _pattern(values)
    provider = values.get("provider", "*")
    if not isinstance(provider, str) or not provider:
        raise FieldError(f'found provider = {provider!r}, but a name such as "azure" is accepted')
    like = values.get("like")
    if like is not None and (not isinstance(like, str) or not like.strip("/")):
        raise FieldError(f'found like = {like!r}, but a model such as "openai/gpt-4o" is accepted')
    if like is not None and "*" in like and not (like.find("*") == len(like) - 1 and _PREFIX.fullmatch(values.get("match", ""))):
        raise FieldError(f'found like = {like!r}, but a `*` is accepted at its end alone, where match has one there too: "gov-*"')
    if "multiplier" in values and like is None:
        raise FieldError("found multiplier without like, but it multiplies the prices of the model that `like` names")
    usd = _gpu(values) | _usd(values)
    tiers = _tiers(values.get("tiers", []))
    if not usd and not tiers and like is None:
        raise FieldError("found no price, but at least `input`, `output`, `per_request`, `gpu_hour` or `like` is accepted")
    return Entry(
        place=place,
        match=match,
        pattern=pattern,
        provider=None if provider == "*" else book_provider(provider),
        condition=_condition(values.get("from"), values.get("when", {})),
        like=None if like is None else _like(like),
        multiplier=_number("multiplier", values["multiplier"]) if "multiplier" in values else None,
        usd=usd,
        tiers=tiers,
    )


def _pattern(values: Mapping[str, Any]) -> tuple[str, re.Pattern[str]]:
    match, regex = values.get("match"), values.get("regex")
    if match is not None and regex is not None:
        raise FieldError("found both match and regex, but one of them is accepted")
    if regex is None:
        if not isinstance(match, str) or not match:
            raise FieldError(f'found match = {match!r}, but a pattern such as "my-gpt-*" is accepted')
        return match, re.compile(rf"\A{translate(match.lower())}")  # translate() holds the end alone; a regex is searched for
    try:
        return cast("str", regex), re.compile(regex, re.IGNORECASE)
    except (re.error, TypeError, OverflowError, RecursionError):
        raise FieldError(f'found regex = {regex!r}, but a regular expression such as "^my-gpt-" is accepted') from None


def _like(text: str) -> tuple[str | None, str]:
    provider, slash, model = text.partition("/")
    return (provider, model) if slash else (None, text)


def _usd(values: Mapping[str, Any]) -> dict[str, Decimal]:
    return {rate: _number(key, values[key]) for key, rate in _PRICES.items() if key in values}


def _gpu(values: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return the price of a token on a machine of one's own: what an hour costs, over the tokens that it serves."""
    if "gpu_hour" not in values and "tokens_per_hour" not in values:
        return {}
    if "gpu_hour" not in values or "tokens_per_hour" not in values:
        raise FieldError("found one of gpu_hour and tokens_per_hour, but both together are accepted")
    tokens = _number("tokens_per_hour", values["tokens_per_hour"])
    if not tokens:
        raise FieldError("found tokens_per_hour = 0, but a number above 0 is accepted")
    usd = _number("gpu_hour", values["gpu_hour"]) / tokens * MTOK
    if usd > _LARGEST:
        raise FieldError(f"found {usd:.0e} USD per million tokens by gpu_hour and tokens_per_hour, but at most {_LARGEST:.0e} is accepted")
    rate = usd.quantize(_FINEST).normalize()  # finite digits, so that shares of a bill still sum to it exactly
    return {"input": rate, "output": rate}


def _tiers(value: Any) -> tuple[tuple[int, Usd], ...]:
    accepted = "but a list of tables such as { above = 200000, input = 4.4 } is accepted"
    if not isinstance(value, list):
        raise FieldError(f"found tiers = {value!r}, {accepted}")
    tiers: dict[int, Usd] = {}
    for tier in cast("list[Any]", value):
        if not isinstance(tier, dict):
            raise FieldError(f"found {tier!r} among tiers, {accepted}")
        values = cast("dict[str, Any]", tier)
        if unknown := sorted(set(values) - set(_PRICES) - {"above"}):
            raise FieldError(f"found the key `{unknown[0]}` among tiers, but accepted are above and {', '.join(_ACCEPTED_PRICES)}")
        above = values.get("above")
        if not isinstance(above, int) or isinstance(above, bool) or not 0 < above <= _LARGEST or above in tiers:
            raise FieldError(f"found above = {above!r} among tiers, but a number of tokens of its own is accepted")
        tiers[above] = _usd(values)
    return tuple(sorted(tiers.items()))


def _condition(start: Any, when: Any) -> Condition:
    if not isinstance(when, dict):
        raise FieldError(f'found when = {when!r}, but a table such as {{ service_tier = "flex" }} is accepted')
    values = cast("dict[str, Any]", when)
    _known(values, _CONDITIONS, " in when")
    tier, batch = values.get("service_tier"), values.get("batch")
    if tier is not None and (not isinstance(tier, str) or not tier):
        raise FieldError(f'found service_tier = {tier!r}, but a name such as "flex" is accepted')
    if batch is not None and not isinstance(batch, bool):
        raise FieldError(f"found batch = {batch!r}, but true and false are accepted")
    return Condition(
        start=None if start is None else _start(start),
        service_tier=tier.lower() if tier is not None else None,
        batch=batch,
        hours=_hours(values["hours"]) if "hours" in values else (),
        days=_days(values["days"]) if "days" in values else frozenset(),
    )


def _start(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            moment = datetime.combine(cast("date", moment), time())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise FieldError(f"found from = {value!r}, but a date such as 2026-12-01 is accepted") from None


def _hours(value: Any) -> tuple[Window, ...]:
    windows: list[Window] = []
    try:
        for text in value.split(","):
            start, end = cast("re.Match[str]", _WINDOW.fullmatch(text.strip())).groups()
            windows.append((time.fromisoformat(start), time() if end == "24:00" else time.fromisoformat(end)))
    except (AttributeError, ValueError):
        raise FieldError(f'found hours = {value!r}, but hours of the day in UTC such as "01:00-04:00, 06:00-10:00" are accepted') from None
    return tuple(windows)


def _days(value: Any) -> frozenset[int]:
    days: set[int] = set()
    try:
        for text in value.lower().split(","):
            first, _, last = text.strip().partition("-")
            start, end = _DAYS.index(first), _DAYS.index(last or first)
            days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    except (AttributeError, ValueError):
        raise FieldError(f'found days = {value!r}, but days of the week such as "mon-fri" or "sat, sun" are accepted') from None
    return frozenset(days)


def _known(values: Mapping[str, Any], accepted: tuple[str, ...], where: str = "") -> None:
    if unknown := sorted(set(values) - set(accepted)):
        raise FieldError(f"found the key `{unknown[0]}`{where}, but accepted are {', '.join(accepted)}")


def _number(key: str, value: Any) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise InvalidOperation
        number = Decimal(value)
    except InvalidOperation:
        raise FieldError(f"found {key} = {value!r}, but a number {_unit(key)} is accepted") from None
    if not number.is_finite() or number < 0:
        raise FieldError(f"found {key} = {value}, but a number {_unit(key)} from 0 is accepted")
    if number > _LARGEST:
        raise FieldError(f"found {key} = {number:.0e}, but a number {_unit(key)} up to {_LARGEST:.0e} is accepted")
    return number


def _unit(key: str) -> str:
    return {"multiplier": "such as 0.9", "tokens_per_hour": "of tokens"}.get(key, "of USD")

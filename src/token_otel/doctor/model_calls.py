"""Model calls whose tokens or cost are missing or doubtful, and what to set so that the next ones are not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from token_otel.doctor.finding import Finding
from token_otel.otel import semconv as sc
from token_otel.prices import PriceBook
from token_otel.prices.layers import list_prices, over
from token_otel.prices.price_file import read_all
from token_otel.report import values
from token_otel.report.calls import Call, run_status
from token_otel.settings import Settings

ABOUT = "Model calls"

Model: TypeAlias = tuple[str | None, str | None]
"""Provider and model, as the span names them."""

# A bill is explained as what was counted plus what the provider adds unseen; beyond this something else was billed.
_LARGE_SHARE = 0.2
_LARGE_TOKENS = 100

# Source: the field `stream_usage` of the chat models in langchain-openai and the packages built on it.
_STREAM_CLASSES = {
    "openai": "ChatOpenAI",
    "azure.ai.openai": "AzureChatOpenAI",
    "azure": "AzureChatOpenAI",
    "deepseek": "ChatDeepSeek",
    "x_ai": "ChatXAI",
    "xai": "ChatXAI",
    "anthropic": "ChatAnthropic",
}


def findings(calls: Sequence[Call], env: Mapping[str, str], *, file: str) -> Iterator[Finding]:
    """Yield what is to be said about some calls."""
    yield from _unreported(calls)
    yield from _unpriced(calls, env, file)
    yield from _unexplained(calls)
    yield from _broken_off(calls)
    if calls and all(call.cost_status in ("priced", "local", "cached", "late", "refused") for call in calls):
        yield Finding(about=ABOUT, grade="ok", found="The tokens and the cost of every call are known.")


def _unreported(calls: Sequence[Call]) -> Iterator[Finding]:
    """Yield the calls that ended well and of which the provider told no usage."""
    models: dict[Model, list[Call]] = {}
    for call in calls:
        if call.cost_status == "unreported" and run_status(call.span) != "cancelled":
            models.setdefault(_asked(call), []).append(call)
    for model, group in models.items():
        streamed = sum(call.span.attributes.get(sc.REQUEST_STREAM) is True for call in group)
        of = sum(_asked(call) == model for call in calls)
        how = " (streamed)" if streamed == len(group) else ""
        found = f"No usage for {len(group):,} of {_plural(of, 'call')} to {_name(model)}{how}: they are in no sum."
        yield Finding(about=ABOUT, grade="warning", found=found, do=_ask_for_usage(model, streamed=bool(streamed)))


def _ask_for_usage(model: Model, *, streamed: bool) -> str:
    if not streamed:
        return "The provider tells none; TOKEN_OTEL_ESTIMATE=on lets our estimate take its place."
    name = _STREAM_CLASSES.get((model[0] or "").lower())
    if name is not None:
        return f"Set stream_usage=True on {name} (it is off by default where a base_url is set)."
    return 'Set stream_usage=True on its chat model, or stream_options={"include_usage": true} in the request.'


def _unpriced(calls: Sequence[Call], env: Mapping[str, str], file: str) -> Iterator[Finding]:
    models = _grouped(calls, lambda call: call.cost_status == "unpriced")
    if not models:
        return
    book = over(list_prices(), read_all(Settings.from_env(env, on_error=_ignore).prices, on_error=_ignore))
    for model, group in models.items():
        tokens = sum(call.totals.input + call.totals.output for call in group)
        found = f"{_plural(len(group), 'call')} to {_name(model)} without a price: {tokens:,} tokens cost an unknown amount."
        if all(_has_price(book, call) for call in group):
            yield Finding(about=ABOUT, grade="warning", found=found, do=f"It has a price by now: token-otel reprice {file}")
        else:
            do = "Fill this in, USD per million tokens, save it as prices.toml, and set TOKEN_OTEL_PRICES=prices.toml:"
            yield Finding(about=ABOUT, grade="warning", found=found, do=do, block=_override(model))


def _override(model: Model) -> str:
    """Return an entry of a price file. A question mark is refused until it is replaced: a 0 would make the model free."""
    provider, name = model
    lines = ["[[model]]"]
    if provider is not None:
        lines.append(f"provider = {json.dumps(provider)}")
    return "\n".join([*lines, f"match = {json.dumps(_literal(name or '*'))}", 'input = "?"', 'output = "?"'])


def _literal(name: str) -> str:
    """Return a pattern that matches a name alone: an asterisk in it would match others."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name) if name != "*" else name


def _has_price(book: PriceBook, call: Call) -> bool:
    span, tier = call.span, values.text(call.span, sc.OPENAI_SERVICE_TIER)
    names = (values.text(span, sc.RESPONSE_MODEL), values.text(span, sc.REQUEST_MODEL))
    provider = values.text(span, sc.PROVIDER_NAME)
    return any(name and book.find(provider=provider, model=name, at_ns=span.start_ns, service_tier=tier) for name in names)


def _unexplained(calls: Sequence[Call]) -> Iterator[Finding]:
    """Yield the models whose bills hold much that was not in the request."""
    models = _grouped(calls, _is_unexplained)
    for model, group in models.items():
        tokens = sum(_unexplained_tokens(call) for call in group)
        share = tokens / sum(call.totals.input for call in group)
        found = (
            f"{_plural(len(group), 'call')} to {_name(model)} billed {tokens:,} input tokens ({share:.0%}) that were not in "
            "the request: they belong to nobody."
        )
        do = "Look for what is added on the way: tools that the provider runs, files or images by reference, a gateway's own prompt."
        yield Finding(about=ABOUT, grade="note", found=found, do=do)


def _is_unexplained(call: Call) -> bool:
    tokens = _unexplained_tokens(call)
    return tokens >= _LARGE_TOKENS and tokens >= _LARGE_SHARE * call.totals.input


def _unexplained_tokens(call: Call) -> int:
    return values.count(call.span, sc.INPUT_BY_ROLE["unexplained"]) or 0


def _broken_off(calls: Sequence[Call]) -> Iterator[Finding]:
    cancelled = [call for call in calls if run_status(call.span) == "cancelled"]
    blind = sum(call.cost_status == "unreported" for call in cancelled)
    if cancelled:
        found = f"{_plural(len(cancelled), 'call')} broken off" + (f", {blind:,} of them before any usage came." if blind else ".")
        do = "The provider may bill more than was seen: read streams to their end where the bill must be exact."
        yield Finding(about=ABOUT, grade="note", found=found, do=do)
    late = sum(call.span.attributes.get(sc.LATE) is True or call.cost_status == "late" for call in calls)
    if late:
        found = f"{_plural(late, 'span')} of calls that ended after their agent: the agent's own sums leave out what came late."
        do = "Await what an agent starts before it ends, or raise TOKEN_OTEL_GRACE_S."
        yield Finding(about=ABOUT, grade="note", found=found, do=do)


def _grouped(calls: Sequence[Call], wanted: Callable[[Call], bool]) -> Mapping[Model, list[Call]]:
    groups: dict[Model, list[Call]] = {}
    for call in calls:
        if wanted(call):
            groups.setdefault(_model(call), []).append(call)
    return groups


def _model(call: Call) -> Model:
    span = call.span
    return values.text(span, sc.PROVIDER_NAME), values.text(span, sc.RESPONSE_MODEL) or values.text(span, sc.REQUEST_MODEL)


def _asked(call: Call) -> Model:
    """Return the model that was asked: without usage, there is often no word of who answered."""
    return _model(call)[0], values.text(call.span, sc.REQUEST_MODEL) or values.text(call.span, sc.RESPONSE_MODEL)


def _name(model: Model) -> str:
    return "/".join(name for name in model if name is not None) or "a model without a name"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _ignore(_: object) -> None:
    """Another finding says what is bad."""

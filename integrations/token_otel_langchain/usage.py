"""What a model answered: `LLMResult` -> `ModelEnded`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, cast

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGeneration, Generation

from token_otel import Usage, wire
from token_otel.events import ModelEnded, Part, Status
from token_otel_langchain.graph import Run
from token_otel_langchain.request import mapping_of

_LOCAL_ID = ("lc_run-", "run-")
_REPORTS = (
    "token_usage",
    "usage",
    "usageMetadata",
    "usage_metadata",
    "amazon-bedrock-invocationMetrics",
    "token_count",
    "estimated_tokens",
)
# What OpenAI reports, and LangChain keeps all of.
_KEPT = {"prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "completion_tokens_details"}
_KEPT_INPUT = {"cached_tokens", "audio_tokens"}
_KEPT_OUTPUT = {"reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens"}
_COUNTS = tuple(field.name for field in fields(Usage) if field.name != "adjusted")
_REASONS = ("finish_reason", "stop_reason", "stopReason", "done_reason")


def model_ended(
    run_id: str,
    result: object,
    read: Callable[[BaseMessage], tuple[Part, ...]],
    at_ns: int | None = None,
    *,
    status: Status = "ok",
    error_type: str | None = None,
) -> ModelEnded:
    """Translate an answer, or what had come of it when it broke off; a field that a release lacks is not said.

    Args:
        run_id: The call.
        result: LangChain's `LLMResult`.
        read: Reads a message's parts.
        at_ns: When it came.
        status: How the call ended.
        error_type: The class of its exception.
    """
    choices = _choices(result)
    first = choices[0] if choices else None
    message = _message(first)
    about = _about(first)
    overall = mapping_of(getattr(result, "llm_output", None))
    info = mapping_of(getattr(first, "generation_info", None))
    output = _output(first, read) if first is not None else ()
    reasons = [reason for choice in choices if (reason := _reason(choice))]
    for choice in choices[1:]:
        output += _output(choice, read)
    reported = mapping_of(getattr(message, "usage_metadata", None))
    reports = [*_reports(about), *_reports(overall)]
    return ModelEnded(
        run_id=run_id,
        at_ns=at_ns,
        status=status,
        error_type=error_type,
        usage=_usage(message, reported, reports, info, output),
        output=output,
        model=_text(about, "model_name", "model", "model_id") or _text(overall, "model_name", "model", "model_id"),
        response_id=_response_id(message, about),
        finish_reasons=tuple(reasons),
        service_tier=_tier(reported, about),
        cost_usd=_cost((*reports, about)),
        local_cache=reported.get("total_cost") == 0,
    )


def so_far(run: Run, usage: UsageMetadata) -> UsageMetadata:
    """Return what a stream has used so far: chunks tell what they add, but some servers tell the whole anew with each."""
    seen: UsageMetadata | None = run.seen
    if seen and 0 < seen["input_tokens"] <= usage["input_tokens"] and seen["output_tokens"] <= usage["output_tokens"]:
        run.retold = True
        return usage
    return add_usage(seen, usage)


def retold(run: Run, end: ModelEnded) -> ModelEnded:
    """Take the last whole of a stream that was told its usage over and over: LangChain adds up what is no sum."""
    return replace(end, usage=wire.langchain(cast("Mapping[str, object]", run.seen))) if run.retold and end.usage else end


def _choices(result: object) -> list[Generation]:
    batches = getattr(result, "generations", None)
    first: object = cast("list[object]", batches)[0] if isinstance(batches, list) and batches else None
    return [choice for choice in cast("list[object]", first) if isinstance(choice, Generation)] if isinstance(first, list) else []


def _message(choice: Generation | None) -> AIMessage | None:
    message = getattr(choice, "message", None)
    return message if isinstance(message, AIMessage) else None


def _about(choice: Generation | None) -> Mapping[str, Any]:
    return mapping_of(getattr(getattr(choice, "message", None), "response_metadata", None))


def _output(choice: Generation, read: Callable[[BaseMessage], tuple[Part, ...]]) -> tuple[Part, ...]:
    """Return what the model itself produced; what the provider's tools returned in between is none of it."""
    if not isinstance(choice, ChatGeneration):
        return (Part(kind="assistant", text=choice.text),)
    parts = read(choice.message)
    if any([part.kind == "tool_result" for part in parts]):  # noqa: C419 - a list takes half the time
        parts = tuple([part for part in parts if part.kind != "tool_result"])
    thought = mapping_of(getattr(choice.message, "additional_kwargs", None)).get("reasoning_content")
    if isinstance(thought, str) and thought and all(part.kind != "reasoning" for part in parts):
        parts = (Part(kind="reasoning", text=thought, message_id=getattr(choice.message, "id", None), opens=False), *parts)
    return parts


def _usage(
    message: AIMessage | None,
    reported: Mapping[str, object],
    reports: Sequence[Mapping[str, object]],
    info: Mapping[str, Any],
    output: Sequence[Part],
) -> Usage | None:
    """Read the usage of the first choice: each choice repeats the same bill.

    An output of 0 beside text is a report that is missing.
    """
    usage = None
    if message is not None and reported:
        usage = wire.langchain(reported)
        for report in reports:
            usage = _told(usage, report)
        if usage.web_searches is None and (searches := _searches(message)):
            usage = replace(usage, web_searches=searches)
    if not usage:
        usage = next((found for report in (*reports, *_reports(info)) if (found := wire.detect(report))), None)
    return wire.believed(usage or None, output)


def _reports(place: Mapping[str, Any]) -> Iterable[Mapping[str, object]]:
    for name in _REPORTS:
        if name in place and isinstance(value := place[name], dict):
            yield cast("Mapping[str, object]", value)
    if "eval_count" in place:
        yield place


def _told(usage: Usage, report: Mapping[str, object]) -> Usage:
    """Take the provider's own report where it says more than LangChain keeps of it.

    LangChain drops searches, images and lifetimes of some, and of Anthropic's the compactions, which are billed beside the
    totals that it reads. A stream's report may be a sum of chunks: where its totals are others, LangChain's are believed.
    """
    if _repeats(report, usage):
        return usage
    own = wire.detect(report)
    if not own:
        return usage
    if "iterations" in report and own.complete and (own.input or 0) >= (usage.input or 0):
        return own
    if (own.input, own.output) != (usage.input, usage.output):
        return usage
    more = {name: value for name in _COUNTS if getattr(usage, name) is None and (value := getattr(own, name)) is not None}
    try:
        return replace(usage, **more) if more else usage
    except ValueError:
        return usage  # what one splits in two, the other tells in one


def _repeats(report: Mapping[str, object], usage: Usage) -> bool:
    """Tell whether a report says nothing that LangChain has not kept: most do, and to read one takes ten times as long."""
    if not report.keys() <= _KEPT or None in (usage.cache_read, usage.reasoning, usage.audio_input, usage.audio_output):
        return False
    for name, kept in (("prompt_tokens_details", _KEPT_INPUT), ("completion_tokens_details", _KEPT_OUTPUT)):
        details = report.get(name)
        if isinstance(details, dict) and not cast("dict[str, object]", details).keys() <= kept:
            return False
    return True


def _searches(message: AIMessage) -> int:
    """Count the searches that the provider ran, by the blocks they leave: they are billed apiece, and a stream's usage leaves them out."""
    content: object = getattr(message, "content", None)
    searches = 0
    for block in cast("list[object]", content) if isinstance(content, list) else ():
        if isinstance(block, dict):
            block = cast("dict[str, Any]", block)
            form = block.get("type")
            searches += form == "web_search_call" or (form in ("server_tool_use", "server_tool_call") and block.get("name") == "web_search")
    return searches


def _tier(reported: Mapping[str, object], about: Mapping[str, Any]) -> str | None:
    raw = about.get("usage")
    report = cast("Mapping[str, Any]", raw if isinstance(raw, dict) else {})
    # Anthropic calls its dearer, faster service a speed.
    speed = "fast" if report.get("speed") == "fast" else None
    tier = speed or _text(about, "service_tier") or report.get("service_tier") or wire.service_tier(reported)
    return tier if isinstance(tier, str) else None


def _cost(places: Iterable[Mapping[str, object]]) -> Decimal | None:
    """Return the cost that the provider reports in its usage, as OpenRouter does, or beside it, as its integration does in streams."""
    for place in places:
        if "cost" in place and (cost := wire.reported_cost(place)) is not None:
            return cost
    return None


def _response_id(message: AIMessage | None, about: Mapping[str, Any]) -> str | None:
    told = _text(about, "id")
    made = getattr(message, "id", None)
    if told is None and isinstance(made, str) and made and not made.startswith(_LOCAL_ID):
        return made
    return told


def _reason(choice: Generation) -> str | None:
    return _text(_about(choice), *_REASONS) or _text(mapping_of(getattr(choice, "generation_info", None)), *_REASONS)


def _text(place: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = place.get(name)
        if value and isinstance(value, str):
            return value
    return None

"""From a posting and a run to the attributes of their spans. What is unknown is absent."""

from __future__ import annotations

from decimal import Decimal

from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, RetrievalStarted, ToolStarted
from token_otel.ledger import Closed, Posting, Run, Totals
from token_otel.otel import semconv as sc
from token_otel.otel.flows import TOP, flow_attributes
from token_otel.otel.names import Names
from token_otel.otel.values import LONGEST, Value, Values
from token_otel.prices import Cost
from token_otel.usage import Usage


def span_name(run: Run, names: Names) -> str:
    """Return the name of a run's span: the operation, then the model or the shown name."""
    name = run.name
    if name is not None and not isinstance(run.event, ModelStarted):
        name = names.show(name)
    return f"{_operation(run)} {name}" if name else _operation(run)


def _operation(run: Run) -> str:
    match run.event:
        case AgentStarted(kind=kind):
            return "invoke_agent" if kind == "agent" else "invoke_workflow"
        case ModelStarted(operation=operation):
            return operation
        case ToolStarted():
            return "execute_tool"
        case RetrievalStarted():
            return "retrieval"
        case _:
            return "step"


def start_attributes(run: Run, names: Names) -> Values:
    """Return what is known when a run starts, so that samplers and processors see it."""
    event = run.event
    # First what the user asked for, so that no key of theirs stands in for a number of ours.
    asked = {**run.tags, **event.attributes} if run.tags else event.attributes
    values: Values = {key: value for key, value in asked.items() if type(key) is str and key and len(key) <= LONGEST}
    values[sc.OPERATION_NAME] = _operation(run)
    agent = run.agent_name
    match event:
        case AgentStarted(kind="workflow", name=name):
            agent = None
            if name:
                values[sc.WORKFLOW_NAME] = names.show(name)
        case ModelStarted():
            _set(values, sc.PROVIDER_NAME, event.provider)
            _set(values, sc.REQUEST_MODEL, event.model)
            values |= {sc.REQUEST[name]: value for name, value in event.request.items() if name in sc.REQUEST}
            if event.attempt > 1:
                values[sc.ATTEMPT] = event.attempt
        case ToolStarted():
            values[sc.TOOL_NAME] = names.show(event.name)
            values[sc.TOOL_TYPE] = "function"
            if event.call_id is not None:
                values[sc.TOOL_CALL_ID] = names.id(event.call_id)
        case RetrievalStarted():
            values[sc.DATA_SOURCE_ID] = names.show(event.name)
        case _:
            pass
    if agent:
        values[sc.AGENT_NAME] = names.show(agent)
    if run.conversation_id is not None:
        values[sc.CONVERSATION_ID] = names.show(run.conversation_id)
    return values


def end_attributes(closed: Closed, names: Names, *, cache_write_name: str = "new") -> Values:
    """Return what is known when a run ends."""
    run, event = closed.run, closed.event
    values: Values = {sc.RUN_STATUS: event.status}
    _set(values, sc.ERROR_TYPE, event.error_type)
    if closed.late:
        values[sc.LATE] = True
    if closed.posting is not None and isinstance(event, ModelEnded):
        values |= _answer(run, event, names)
        values |= posting_attributes(closed.posting, names, cache_write_name=cache_write_name)
    elif isinstance(run.event, AgentStarted):
        values |= _agent(closed, names)
    elif isinstance(run.event, ToolStarted) and isinstance(event, Ended):
        _usd(values, sc.TOOL_COST, event.cost_usd)
    return values


def posting_attributes(posting: Posting, names: Names, *, cache_write_name: str = "new") -> Values:
    """Return tokens, cost and flow of one call."""
    values: Values = {sc.COST_STATUS: posting.cost.status}
    if posting.saved is not None:
        values[sc.LOCAL_CACHE] = True
        saved = posting.saved
        if saved.usage is not None:
            _set(values, sc.SAVED_INPUT, saved.usage.input)
            _set(values, sc.SAVED_OUTPUT, saved.usage.output)
        _usd(values, sc.SAVED_COST, saved.cost.total_usd)
        values[sc.COST_TOTAL] = 0.0
        return values
    values[sc.USAGE_STATUS] = posting.usage_status
    if posting.usage is not None:
        values |= usage_attributes(posting.usage, cache_write_name=cache_write_name)
    if posting.estimated is not None:
        values[sc.ESTIMATED_INPUT] = posting.estimated[0]
        _set(values, sc.ESTIMATED_OUTPUT, posting.estimated[1])
    values |= cost_attributes(posting.cost)
    values |= flow_attributes(posting.split, names)
    _set(values, sc.FLOW_METHOD, posting.method)
    if posting.output is not None:
        parts = ((sc.OUTPUT_TEXT, posting.output.text), (sc.OUTPUT_TOOL_CALL, posting.output.tool_call))
        values |= {name: tokens for name, tokens in (*parts, (sc.OUTPUT_REASONING, posting.output.reasoning)) if tokens}
    return values


def usage_attributes(usage: Usage, *, cache_write_name: str = "new") -> Values:
    """Return the tokens as reported, inclusive."""
    values: Values = {}
    _set(values, sc.INPUT_TOKENS, usage.input)
    _set(values, sc.OUTPUT_TOKENS, usage.output)
    _set(values, sc.CACHE_READ_TOKENS, usage.cache_read)
    if cache_write_name in ("new", "both"):
        _set(values, sc.CACHE_WRITE_TOKENS, usage.cache_write)
    if cache_write_name in ("old", "both"):
        _set(values, sc.CACHE_CREATION_TOKENS, usage.cache_write)
    _set(values, sc.REASONING_TOKENS, usage.reasoning)
    _set(values, sc.AUDIO_INPUT_TOKENS, usage.audio_input)
    _set(values, sc.AUDIO_OUTPUT_TOKENS, usage.audio_output)
    _set(values, sc.IMAGE_INPUT_TOKENS, usage.image_input)
    _set(values, sc.IMAGE_OUTPUT_TOKENS, usage.image_output)
    if usage.adjusted:
        values[sc.USAGE_ADJUSTED] = True
    return values


def cost_attributes(cost: Cost) -> Values:
    """Return the cost in USD, and where its price comes from."""
    values: Values = {}
    _usd(values, sc.COST_INPUT, cost.input_usd)
    _usd(values, sc.COST_OUTPUT, cost.output_usd)
    _usd(values, sc.COST_FEES, cost.fees_usd)
    _usd(values, sc.COST_TOTAL, cost.total_usd)
    _usd(values, sc.COST_CACHE_READ, cost.cache_read_usd)
    _usd(values, sc.COST_CACHE_WRITE, cost.cache_write_usd)
    _usd(values, sc.COST_REASONING, cost.reasoning_usd)
    _usd(values, sc.COST_UNCACHED, cost.uncached_usd)
    _set(values, sc.PRICE_SOURCE, cost.source)
    _set(values, sc.PRICE_VERSION, cost.version)
    _set(values, sc.PRICE_MODEL, cost.model)
    return values


def _answer(run: Run, end: ModelEnded, names: Names) -> Values:
    values: Values = {}
    _set(values, sc.RESPONSE_MODEL, end.model)
    _set(values, sc.RESPONSE_ID, end.response_id)
    if end.finish_reasons:
        values[sc.FINISH_REASONS] = list(end.finish_reasons)
    if end.service_tier and isinstance(run.event, ModelStarted) and run.event.provider in ("openai", "azure.ai.openai"):
        values[sc.OPENAI_SERVICE_TIER] = end.service_tier
    if run.first_chunk_ns is not None and run.event.at_ns is not None:
        values[sc.REQUEST_STREAM] = True
        values[sc.TIME_TO_FIRST_CHUNK] = (run.first_chunk_ns - run.event.at_ns) / 1e9
    ids = list(dict.fromkeys(part.message_id for part in end.output if part.message_id is not None))
    if ids:
        values[sc.MESSAGE_IDS] = [names.id(label) for label in ids[:TOP]]
    return values


def _agent(closed: Closed, names: Names) -> Values:
    run = closed.run
    values = _totals(sc.OWN, run.own) | _totals(sc.SUBTREE, run.subtree)
    incomplete = run.subtree.incomplete + closed.open_calls
    if incomplete:
        values[sc.AGENT_INCOMPLETE] = incomplete
    if run.handoffs:
        values[sc.AGENT_HANDOFFS] = [names.show(name) for name in run.handoffs[:TOP]]
    dearest = run.dearest()
    if dearest:
        values[sc.AGENT_MESSAGE_PRODUCERS] = [names.origin(label) if isinstance(label, str) else str(label) for label, _ in dearest]
        values[sc.AGENT_MESSAGE_READS] = [reads.reads for _, reads in dearest]
        values[sc.AGENT_MESSAGE_TOKENS] = [reads.tokens for _, reads in dearest]
        if run.own.cost_is_known:
            values[sc.AGENT_MESSAGE_COST] = [float(reads.cost_usd) for _, reads in dearest]
        if run.forgot:
            values[sc.AGENT_MESSAGE_AT_LEAST] = True
    return values


def _totals(scope: str, totals: Totals) -> Values:
    figures = (totals.input, totals.output, float(totals.cost_usd), totals.calls, totals.reread)
    values: Values = {sc.rollup(scope, what): figure for what, figure in zip(sc.ROLLUPS, figures, strict=True)}
    if not totals.cost_is_known:
        del values[sc.rollup(scope, "cost_usd")]
    return values


def _set(values: Values, name: str, value: Value | None) -> None:
    if value is not None:
        values[name] = value


def _usd(values: Values, name: str, usd: Decimal | None) -> None:
    if usd is not None:
        values[name] = float(usd)

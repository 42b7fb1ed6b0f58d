"""`MetricWriter`: durations, tokens, cost and flow as metrics of both generations of the conventions; never an id.

Source: open-telemetry/semantic-conventions-genai, model/gen-ai/{metrics,token-metrics}.yaml, and for the legacy ones v1.41.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock

from opentelemetry import baggage
from opentelemetry.metrics import Histogram, Meter, get_meter_provider

from token_otel.events import AgentStarted, Ended, ModelEnded, ModelStarted, RetrievalStarted, ToolStarted
from token_otel.ledger import Closed, Posting, Run
from token_otel.otel import semconv as sc
from token_otel.otel.names import Names
from token_otel.otel.spans import around
from token_otel.otel.values import encodable_text
from token_otel.usage import Usage

MAX_AGENTS = 50
MAX_VALUES = 100  # of a tag
OTHER = "other"

Labels = dict[str, str | bool]

_UNKNOWN = Usage()
_NOTHING = Usage(input=0, output=0)


class MetricWriter:
    """Writes what a closed run adds to the metrics.

    Args:
        meter: Where instruments are made.
        names: How names leave.
        latest: Whether the instruments of September 2026 are written.
        legacy: Whether those that dashboards still read are written.
        tags: Tags and baggage entries that are labels of what is spent.
    """

    def __init__(self, meter: Meter, names: Names, *, latest: bool = True, legacy: bool = True, tags: Sequence[str] = ()) -> None:
        self._names = names
        self._latest = latest
        self._legacy = legacy
        self._agents: set[str] = set()
        self._tags: dict[str, set[str]] = {key: set() for key in tags}
        # Re-entrant: a signal handler may record, too.
        self._lock = RLock()
        # The API's own meters drop everything, until the program sets a provider.
        self._deaf = get_meter_provider() if type(meter).__module__.startswith("opentelemetry.metrics") else None
        self._cost = meter.create_counter(sc.M_COST, unit="{USD}", description="Cost of model calls")
        self._flow = meter.create_counter(sc.M_FLOW, unit="{token}", description="Input tokens by who produced them")
        self._unpriced = meter.create_counter(sc.M_UNPRICED, unit="{token}", description="Tokens of calls whose price is not known")
        self._agent_s = _histogram(meter, sc.M_AGENT_DURATION, "s", sc.BUCKETS_AGENT_S)
        self._workflow_s = _histogram(meter, sc.M_WORKFLOW_DURATION, "s", sc.BUCKETS_WORKFLOW_S)
        self._tool_s = _histogram(meter, sc.M_TOOL_DURATION, "s", sc.BUCKETS_CLIENT_S)
        # Once for every operation; today for those that are no inference.
        self._operation_s = _histogram(meter, sc.M_OPERATION_DURATION, "s", sc.BUCKETS_CLIENT_S)
        if latest:
            self._inference_s = _histogram(meter, sc.M_INFERENCE_DURATION, "s", sc.BUCKETS_CLIENT_S)
            self._first_chunk_s = _histogram(meter, sc.M_FIRST_CHUNK, "s", sc.BUCKETS_CLIENT_S)
            self._counters = {
                name: meter.create_counter(name, unit="{token}")
                for name in (sc.M_INPUT, sc.M_OUTPUT, sc.M_CACHE_READ, sc.M_CACHE_WRITE, sc.M_REASONING)
            }
            self._sizes = {
                name: _histogram(meter, name, "{token}", sc.BUCKETS_TOKENS) for name in (sc.M_OPERATION_INPUT, sc.M_OPERATION_OUTPUT)
            }
        if legacy:
            self._operation_first_chunk_s = _histogram(meter, sc.M_OPERATION_FIRST_CHUNK, "s", sc.BUCKETS_CLIENT_S)
            self._token_usage = _histogram(meter, sc.M_TOKEN_USAGE, "{token}", sc.BUCKETS_TOKENS)

    def end(self, closed: Closed) -> None:
        """Add one closed run."""
        if self._deaf is not None and get_meter_provider() is self._deaf:
            return
        run, event = closed.run, closed.event
        seconds = ((event.at_ns or 0) - (run.event.at_ns or 0)) / 1e9
        failed: Labels = {sc.ERROR_TYPE: encodable_text(event.error_type)} if event.error_type else {}
        match run.event:
            case ModelStarted():
                if closed.posting is not None and closed.posting.saved is None and isinstance(event, ModelEnded):
                    self._model(run, run.event, event, closed.posting, None if closed.late else seconds, failed)
            case AgentStarted(kind="agent", name=name):
                self._agent_s.record(seconds, failed | self._agent(name))
            case AgentStarted(name=name):
                self._workflow_s.record(seconds, failed | ({sc.WORKFLOW_NAME: self._show(name)} if name else {}))
            case ToolStarted(name=name):
                labels: Labels = {sc.TOOL_NAME: self._show(name), sc.TOOL_TYPE: "function"}
                self._tool_s.record(seconds, failed | labels | self._agent(run.agent_name))
                if isinstance(event, Ended) and event.cost_usd is not None:
                    spender: Labels = {sc.OPERATION_NAME: "execute_tool", sc.TOOL_NAME: self._show(name)}
                    self._cost.add(float(event.cost_usd), spender | self._agent(run.agent_name) | self._tagged(run))
            case RetrievalStarted():
                self._operation_s.record(seconds, failed | {sc.OPERATION_NAME: "retrieval"})
            case _:
                pass

    def _model(self, run: Run, start: ModelStarted, end: ModelEnded, posting: Posting, seconds: float | None, failed: Labels) -> None:
        base: Labels = {sc.OPERATION_NAME: encodable_text(start.operation)}
        for name, value in ((sc.PROVIDER_NAME, start.provider), (sc.REQUEST_MODEL, start.model), (sc.RESPONSE_MODEL, end.model)):
            if value:
                base[name] = encodable_text(value)
        if end.service_tier and start.provider in ("openai", "azure.ai.openai"):
            base[sc.OPENAI_SERVICE_TIER] = encodable_text(end.service_tier)
        inference = start.operation != "embeddings"
        agent = self._agent(run.agent_name)
        if self._tags:
            agent |= self._tagged(run)
        usage = posting.usage
        if seconds is not None:
            self._durations(run, base, seconds, failed, inference)
        if self._latest and (usage is not None or inference):
            self._counts(usage or _UNKNOWN, base, every=inference)
            self._record_sizes(posting, base | failed)
        if self._legacy and usage is not None:
            for kind, tokens in (("input", usage.input), ("output", usage.output)):
                if tokens is not None:
                    self._token_usage.record(tokens, base | {sc.TOKEN_TYPE: kind})
        if posting.cost.total_usd is not None:
            self._cost.add(float(posting.cost.total_usd), base | agent)
        elif usage is not None and posting.cost.status in ("unpriced", "partial"):
            self._unpriced.add((usage.input or 0) + (usage.output or 0), base | agent)
        self._flows(posting, agent)

    def _durations(self, run: Run, base: Labels, seconds: float, failed: Labels, inference: bool) -> None:
        waited = None if run.first_chunk_ns is None else (run.first_chunk_ns - (run.event.at_ns or 0)) / 1e9
        if self._latest and inference:
            self._inference_s.record(seconds, base | failed)
            if waited is not None:
                self._first_chunk_s.record(waited, base)
        if self._legacy or not inference:
            self._operation_s.record(seconds, base | failed)
        if self._legacy and waited is not None:
            self._operation_first_chunk_s.record(waited, base)

    def _counts(self, usage: Usage, base: Labels, *, every: bool) -> None:
        """Add the tokens, by modality where the provider tells; with `every`, a 0 for what it does not tell.

        The conventions ask for the 0: on counters, unlike on spans, it adds nothing, and the series is there from the first call.
        """
        for name, tokens, audio, image in (
            (sc.M_INPUT, usage.input, usage.audio_input, usage.image_input),
            (sc.M_OUTPUT, usage.output, usage.audio_output, usage.image_output),
            (sc.M_CACHE_READ, usage.cache_read, usage.audio_cache_read, usage.image_cache_read),
            (sc.M_CACHE_WRITE, usage.cache_write, None, None),
            (sc.M_REASONING, usage.reasoning, None, None),
        ):
            if tokens is None and not every:
                continue
            # What is neither is not known to be text: it may be video, or a provider that does not split.
            by_modality = {"audio": audio or 0, "image": image or 0}
            by_modality["unknown"] = (tokens or 0) - sum(by_modality.values())
            for modality, count in by_modality.items():
                if count or modality == "unknown":
                    self._counters[name].add(count, base | {sc.TOKEN_MODALITY: modality})

    def _record_sizes(self, posting: Posting, labels: Labels) -> None:
        """Record how large a call was: once, though the rest of it may come later; and 0 only if it was refused.

        What was not reported is not 0 tokens: a distribution would be wrong by each such call.
        """
        usage = _NOTHING if posting.refused else posting.usage or _UNKNOWN
        first = (posting.first.usage if posting.first is not None else None) or _UNKNOWN
        if first.input is None and usage.input is not None:
            self._sizes[sc.M_OPERATION_INPUT].record(usage.input, labels)
        if first.output is None and usage.output is not None:
            self._sizes[sc.M_OPERATION_OUTPUT].record(usage.output, labels)

    def _flows(self, posting: Posting, reader: Labels) -> None:
        split = posting.split
        if split is None:
            return
        sums: dict[tuple[str, str, bool], int] = {}
        for cache, column in (
            ("read", split.cache_read),
            ("write", split.cache_write_5m),
            ("write", split.cache_write_1h),
            ("none", split.fresh),
        ):
            for place, tokens in column.items() if isinstance(column, dict) else enumerate(column):
                if tokens:
                    key = (split.groups[place].origin.partition(":")[0], cache, not split.new[place])
                    sums[key] = sums.get(key, 0) + tokens
        for (kind, cache, reread), tokens in sums.items():
            labels: Labels = {sc.PRODUCER_KIND: kind, sc.FLOW_CACHE: cache, sc.FLOW_REREAD: reread}
            self._flow.add(tokens, labels | reader)

    def _agent(self, name: str | None) -> Labels:
        if not name:
            return {}
        if name not in self._agents:
            with self._lock:
                if len(self._agents) >= MAX_AGENTS and name not in self._agents:
                    return {sc.AGENT_NAME: OTHER}
                self._agents.add(name)
        return {sc.AGENT_NAME: self._show(name)}

    def _tagged(self, run: Run) -> Labels:
        """Return the chosen tags of a run, of each the first 100 values by name; else of the baggage around it."""
        labels: Labels = {}
        for key, seen in self._tags.items():
            value = run.tags.get(key)
            if value is None:
                value = baggage.get_baggage(key, around(run))
            if value is not None:
                said = encodable_text(str(value))
                if said not in seen:
                    with self._lock:
                        said = said if len(seen) < MAX_VALUES or said in seen else OTHER
                        seen.add(said)
                labels[key] = said
        return labels

    def _show(self, name: str) -> str:
        return encodable_text(self._names.show(name))


def _histogram(meter: Meter, name: str, unit: str, buckets: Sequence[float]) -> Histogram:
    return meter.create_histogram(name, unit=unit, explicit_bucket_boundaries_advisory=buckets)

"""What differs on the spans of a file at other prices: attribute by attribute, `None` for what is no longer there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from token_otel.ledger import Posting
from token_otel.otel import attributes, profiles
from token_otel.otel import semconv as sc
from token_otel.otel.trace_file import AttributeValue, SpanRecord
from token_otel.otel.values import Value, Values
from token_otel.report.origins import Origins
from token_otel.report.tree import SpanKey, Tree, key_of
from token_otel.reprice.calls import Repriced
from token_otel.reprice.flows import origin_costs, producer_costs, reread_cost
from token_otel.reprice.rollups import rollup_costs

Changes: TypeAlias = Mapping[str, Value | None]

_OURS = (
    *(sc.COST_STATUS, sc.COST_INPUT, sc.COST_OUTPUT, sc.COST_FEES, sc.COST_TOTAL),
    *(sc.COST_CACHE_READ, sc.COST_CACHE_WRITE, sc.COST_REASONING, sc.COST_UNCACHED),
    *(sc.PRICE_SOURCE, sc.PRICE_VERSION, sc.PRICE_MODEL),
)
COST_NAMES: Mapping[str, tuple[str, ...]] = {
    "openlit": (sc.OPENLIT_COST,),
    "logfire": (sc.LOGFIRE_COST,),
    "semconv-draft": (sc.DRAFT_COST_AMOUNT, sc.DRAFT_COST_CURRENCY, sc.DRAFT_COST_SOURCE),
    "mlflow": (sc.MLFLOW_COST,),
    "langfuse": (sc.LANGFUSE_COST,),
    "openinference": (
        *(sc.OPENINFERENCE_COST_TOTAL, sc.OPENINFERENCE_COST_INPUT, sc.OPENINFERENCE_COST_OUTPUT),
        *(sc.OPENINFERENCE_COST_CACHE_READ, sc.OPENINFERENCE_COST_CACHE_WRITE, sc.OPENINFERENCE_COST_REASONING),
    ),
}
"""What each backend's profile says of a cost; all else it says stays as it is."""


def changes(tree: Tree, calls: Sequence[Repriced], default_profiles: Iterable[str]) -> dict[SpanKey, Changes]:
    """Return what differs on each span; spans on which nothing does are left out.

    Args:
        tree: All spans of the file.
        calls: Those that were priced anew.
        default_profiles: In whose words costs are said where the file does not show it, since it holds no cost.
    """
    origins = Origins(tree)
    spoken = _profiles(tree.spans, default_profiles)
    found = {key_of(call.span): _call(call, origins, spoken) for call in calls}
    found |= rollup_costs(tree, [(call, found[key_of(call.span)]) for call in calls])
    differing = {key: _differing(tree.find(key), values) for key, values in found.items()}
    return {key: values for key, values in differing.items() if values}


def _call(call: Repriced, origins: Origins, spoken: Sequence[str]) -> dict[str, Value | None]:
    posting = Posting(usage=call.usage, usage_status="reported", cost=call.cost, model=None)
    values: Values = {sc.COST_STATUS: call.cost.status, **attributes.cost_attributes(call.cost)}
    words = profiles.cost_attributes(spoken, posting)
    values |= {name: words[name] for profile in spoken for name in COST_NAMES[profile] if name in words}
    names = [*_OURS, *(name for names in COST_NAMES.values() for name in names)]
    if not call.same_amounts:
        names += [sc.FLOW_COST, sc.FLOW_PRODUCER_COST, sc.COST_REREAD]
        costs = origin_costs(call)
        if costs is not None:
            values[sc.FLOW_COST] = [float(usd) for usd in costs]
            if call.span.attributes.get(sc.INPUT_REREAD):
                values[sc.COST_REREAD] = float(reread_cost(call, costs))
            if sc.FLOW_PRODUCERS in call.span.attributes:
                values[sc.FLOW_PRODUCER_COST] = [float(usd) for usd in producer_costs(call, costs, origins)]
    return {name: values.get(name) for name in names}


def _profiles(spans: Iterable[SpanRecord], default: Iterable[str]) -> list[str]:
    priced = [span for span in spans if sc.COST_TOTAL in span.attributes]
    if not priced:
        return list(default)
    return [profile for profile, names in COST_NAMES.items() if any(names[0] in span.attributes for span in priced)]


def _differing(span: SpanRecord | None, values: Changes) -> Changes:
    was: Mapping[str, AttributeValue] = {} if span is None else span.attributes
    return {name: value for name, value in values.items() if _plain(value) != was.get(name)}


def _plain(value: Value | None) -> object:
    return tuple(value) if isinstance(value, list) else value

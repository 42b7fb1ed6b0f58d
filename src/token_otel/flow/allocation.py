"""Allocation: a reported bill, split among what was read; every split sums to the bill, to the token and to the last digit.

Integers throughout: weights are in 1/1024 of a counted token, costs in a power of ten of a USD.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from token_otel.flow.layout import Layout
from token_otel.flow.reading import RESOLUTION
from token_otel.flow.split import Column, Group, Split
from token_otel.prices import Cost
from token_otel.prices.rates import FINEST
from token_otel.usage import Usage


def allocate(layout: Layout, usage: Usage, cost: Cost) -> Split:
    """Split the input of one call among what it read.

    The cached tokens lie along the prefix: first what was read from the cache, then what was written for an hour, then
    for five minutes (the order that Anthropic demands), then the rest.

    Returns:
        Shares that sum to `usage.input`, `cache_read` and both cache writes, and in cost to `cost.input_usd`.
    """
    segments = (usage.cache_read or 0, usage.cache_write_1h or 0, usage.cache_write_5m or 0, usage.uncached)
    if not layout.rows and not layout.hidden[1] and not layout.unexplained[1]:
        layout.unexplained = (layout.entry(UNEXPLAINED, new=True), 1)
    largest = segments.index(max(segments))
    columns = _columns(layout, segments, largest)
    split = Split(layout.entries, layout.new, columns[3], columns[0], columns[2], columns[1], layout.labels)
    _price(split, largest, columns, cost)
    return split


def _columns(layout: Layout, segments: Sequence[int], largest: int) -> list[Column]:
    """Split each segment among the entries it covers; the largest gets what the others leave of each."""
    if len(layout.entries) == 1:
        whole: list[Column] = [{0: count} if count else {} for count in segments]
        whole[largest] = [segments[largest]]
        return whole
    totals = layout.totals()
    weight, tokens = sum(totals), sum(segments)
    columns: list[Column] = []
    low = passed = 0
    for number, count in enumerate(segments):
        passed += count
        high = weight * passed // tokens if tokens else 0
        weights: dict[int, int] = {}
        if number != largest and count:
            weights = layout.between(low, high)
            for place, part in weights.items():
                totals[place] -= part
        columns.append(_apportioned(count, weights, len(totals)) if number != largest else [])
        low = high
    columns[largest] = apportion(segments[largest], totals)
    return columns


UNEXPLAINED = Group("unexplained")


def _apportioned(total: int, weights: dict[int, int], entries: int) -> dict[int, int]:
    if not weights:
        return {entries - 1: total} if total else {}
    return {place: share for place, share in zip(weights, apportion(total, [*weights.values()]), strict=True) if share}


def apportion(total: int, sizes: Sequence[int]) -> list[int]:
    """Split `total` into whole numbers in proportion to `sizes`: floors first, the rest to the largest remainders.

    Where all sizes are 0 the last takes everything.
    """
    if not total or not sizes:
        return [0] * len(sizes)
    whole = sum(sizes)
    if whole <= 0:
        return [0] * (len(sizes) - 1) + [total]
    shares = [total * size // whole for size in sizes]
    left = total - sum(shares)
    if left:
        remainders = [total * size % whole for size in sizes]
        least = sorted(remainders, reverse=True)[left - 1]
        ties = left - sum([remainder > least for remainder in remainders])
        for i, remainder in enumerate(remainders):
            if remainder > least:
                shares[i] += 1
            elif ties and remainder == least:
                shares[i] += 1
                ties -= 1
    return shares


def largest_remainder(total: int, weights: Iterable[float]) -> list[int]:
    """Split `total` in proportion to `weights` of any kind."""
    return apportion(total, [round(weight * RESOLUTION) for weight in weights])


def _price(split: Split, largest: int, columns: Sequence[Column], cost: Cost) -> None:
    """Give each entry the rates of its own tokens; the sum is the input's cost."""
    rates, usd = cost.rates, cost.input_usd
    if rates is None or usd is None:
        return
    decimals, units = rates.whole
    main = units[largest]
    costs = [tokens * main for tokens in columns[largest]]
    for number, column in enumerate(columns):
        if isinstance(column, dict):
            unit = units[number]
            for place, tokens in column.items():
                costs[place] += tokens * unit
    decimals += 6  # rates are per million tokens
    rest = usd - Decimal(sum(costs)).scaleb(-decimals)
    if rest:
        # What modalities cost more or less than text goes to the media that were read, else to the largest.
        while decimals < FINEST and rest.scaleb(decimals) % 1:
            decimals += 3
            costs = [each * 1000 for each in costs]
        costs[split.largest()] += int(rest.scaleb(decimals))
    split.costs, split.decimals = costs, decimals

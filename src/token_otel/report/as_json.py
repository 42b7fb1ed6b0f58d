"""The report as plain data: the same numbers as the tables, with money as texts, so that no digit is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, cast

from token_otel.report.matrix import Matrix
from token_otel.report.model import Report


def as_json(report: Report) -> dict[str, Any]:
    """Return what `json.dumps` takes: the fields of `Report`, by name."""
    return cast("dict[str, Any]", _plain(report))


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Matrix):
        cells = [{"producer": row, "consumer": column} | _plain(cell) for (row, column), cell in value.cells.items()]
        axes = {"producers": list(value.producers), "consumers": list(value.consumers)}
        return {**axes, "cut": value.cut, "externals_cut": value.externals_cut, "cells": cells}
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in cast("Mapping[str, object]", value).items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in cast("tuple[object, ...]", value)]
    return value

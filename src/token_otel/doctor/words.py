"""Findings as a person reads them, in 80 columns, and as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from token_otel.doctor.finding import Finding
from token_otel.figures import plural, printable

_WIDTH = 80
_INDENT = 11


def in_words(findings: Sequence[Finding]) -> str:
    """Return the findings under their headings; what to do stands beneath what was found."""
    lines: list[str] = []
    for about in dict.fromkeys(finding.about for finding in findings):
        lines += [about]
        for finding in findings:
            if finding.about == about:
                lines += _wrapped(f"  {finding.grade}", finding.found)
                lines += _wrapped("", finding.do)
                lines += [" " * _INDENT + "  " + printable(line) for line in finding.block.splitlines()]
        lines.append("")
    return "\n".join([*lines, _verdict(findings)])


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what `json.dumps` takes."""
    return {"findings": [asdict(finding) for finding in findings], "warnings": sum(finding.grade == "warning" for finding in findings)}


def _verdict(findings: Sequence[Finding]) -> str:
    grades = Counter(finding.grade for finding in findings)
    if not grades["warning"] and not grades["note"]:
        return "Nothing to do."
    return f"{plural(grades['warning'], 'warning')}, {plural(grades['note'], 'note')}."


def _wrapped(mark: str, sentence: str) -> list[str]:
    if not sentence:
        return []
    text = wrap(printable(sentence), _WIDTH - _INDENT, break_on_hyphens=False, break_long_words=False)
    return [f"{mark if i == 0 else '':<{_INDENT}}{line}" for i, line in enumerate(text)]

"""A doctor's patient: an environment, and a file of spans."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from token_otel.doctor import Finding


class Found:
    """Findings by grade, as sentences."""

    def __init__(self, findings: Iterator[Finding] | Sequence[Finding]) -> None:
        self.findings = list(findings)

    def of(self, grade: str) -> list[str]:
        """What was found, of one grade."""
        return [finding.found for finding in self.findings if finding.grade == grade]

    def to_do(self, grade: str = "warning") -> list[str]:
        """What is to be done about it."""
        return [finding.do for finding in self.findings if finding.grade == grade]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path

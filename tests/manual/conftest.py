"""A recorder that keeps what it writes."""

from __future__ import annotations

import pytest
from tests.tapes import Bench, bench


@pytest.fixture
def made() -> Bench:
    return bench()

"""Each origin's share of a bill against what the loopback providers know: a small part of `bench/allocation.py`."""

from __future__ import annotations

from random import Random

import pytest
from bench.allocation import TARGETS
from bench.billed.figures import figures, quantile
from bench.billed.talk import APIS, Api, world

CONVERSATIONS = 5


@pytest.mark.parametrize("api", APIS)
def test_an_origin_is_billed_about_what_its_words_were(api: Api):
    """Half of the figures are within the first target of the truth, and 95 % within the second, as shares of the call's input."""
    with world(api, Random("accuracy")) as made:
        for number in range(CONVERSATIONS):
            made.converse(number)
    errors = [figure.error for figure in figures(api, made.calls)]
    median, most = TARGETS[api]

    assert len(errors) > 50
    assert quantile(errors, 0.5) <= median
    assert quantile(errors, 0.95) <= most

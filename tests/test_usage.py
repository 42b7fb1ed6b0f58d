"""`Usage`: inclusive buckets that add up, or a sentence with both numbers."""

from typing import Any

import pytest

from token_otel import Usage


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"input": -1}, "input is no count: that is a whole number from 0 to a trillion"),
        ({"output": 1.5}, "output is no count: that is a whole number from 0 to a trillion"),
        ({"output": float("nan")}, "output is no count: that is a whole number from 0 to a trillion"),
        ({"input": 10**12 + 1}, "input is no count: that is a whole number from 0 to a trillion"),
        ({"web_searches": -2}, "web_searches is no count: that is a whole number from 0 to a trillion"),
        ({"input": 10, "cache_read": 11}, "cache read and cache write of 11 exceed input of 10"),
        ({"input": 10, "cache_read": 6, "cache_write_5m": 3, "cache_write_1h": 2}, "cache read and cache write of 11 exceed input of 10"),
        ({"input": 10, "audio_input": 6, "image_input": 5}, "audio, image and video input of 11 exceed input of 10"),
        ({"cache_read": 5}, "cache read and cache write of 5 exceed input of None"),
        ({"output": 3, "reasoning": 4}, "reasoning of 4 exceed output of 3"),
        ({"output": 3, "audio_output": 2, "image_output": 2}, "audio, image and video output of 4 exceed output of 3"),
        (
            {"input": 9, "cache_read": 1, "audio_input": 5, "audio_cache_read": 2},
            "audio, image and video cache read of 2 exceed cache_read of 1",
        ),
        ({"output": 3, "citation": 4}, "citation of 4 exceed output of 3"),
        ({"input": 9, "cache_read": 5, "image_input": 1, "image_cache_read": 2}, "image cache read of 2 exceed image_input of 1"),
        ({"input": 9, "cache_read": 5, "video_input": 1, "video_cache_read": 2}, "video cache read of 2 exceed video_input of 1"),
        ({"input": 9, "cache_read": 5, "audio_input": 1, "audio_cache_read": 2}, "audio cache read of 2 exceed audio_input of 1"),
    ],
)
def test_refuses_what_does_not_add_up(counts: dict[str, Any], sentence: str):
    """A refusal names the bucket and both numbers."""
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Usage(**counts)


def test_uncached_is_what_the_cache_did_not_touch():
    """Neither what was read from the cache nor what was written to it."""
    usage = Usage(input=1000, cache_read=600, cache_write_5m=100, cache_write_1h=50)

    assert usage.uncached == 250  # 1000 - 600 - 100 - 50
    assert usage.cache_write == 150  # 100 + 50


def test_a_cache_write_nobody_reported_is_unknown():
    """Unknown is not 0."""
    assert Usage(input=1).cache_write is None
    assert Usage(input=1, cache_write_1h=0).cache_write == 0


def test_is_complete_with_both_totals():
    """A total of 0 is a known total."""
    assert Usage(input=0, output=0).complete
    assert not Usage(input=1).complete
    assert not Usage(output=1).complete


def test_is_something_once_a_total_is_known():
    """Searches alone are no bill of tokens."""
    assert Usage(input=0)
    assert Usage(output=0)
    assert not Usage(web_searches=2)

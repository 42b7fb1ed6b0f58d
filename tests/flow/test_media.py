"""What providers charge for media: each rule against the values that are published, or stand on bills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_otel.events import Detail, Media
from token_otel.flow.media import media_tokens

SIZES = (
    *((256, 256), (512, 512), (768, 768), (1024, 1024), (1280, 720), (1920, 1080), (1080, 1920)),
    *((2560, 1440), (3840, 2160), (4032, 3024)),
)


def picture(width: int, height: int, model: str, detail: Detail | None = None) -> int:
    """Weigh one picture."""
    return media_tokens(Media(kind="image", width=width, height=height, detail=detail), model)


@pytest.mark.parametrize(
    ("model", "detail", "beside", "billed"),
    [
        ("claude-opus-5-5", None, 77, (177, 438, 861, 1446, 1273, 2768, 2768, 3069, 3069, 4005)),
        ("claude-haiku-4-5", None, 65, (165, 426, 849, 1434, 1261, 1625, 1625, 1657, 1657, 1661)),
        ("gemini-3-flash-preview", None, 1, (1090, 1090, 1090, 1090, 1101, 1101, 1101, 1101, 1101, 1065)),
        ("gpt-6-astra", None, 0, (77, 308, 692, 1229, 1104, 2448, 2448, 4320, 9792, 14364)),
        ("gpt-6-astra", "high", 0, (77, 308, 692, 1229, 1104, 2448, 2448, 2931, 2931, 2942)),
        ("gpt-5.5", None, 0, (77, 308, 692, 1229, 1104, 2448, 2448, 4320, 9792, 11868)),
    ],
)
def test_pictures_cost_what_was_measured(model: str, detail: Detail | None, beside: int, billed: tuple[int, ...]):
    """Ten sizes from a stamp to a photograph of 12 megapixels; `beside` are the tokens of the words around them."""
    assert [picture(width, height, model, detail) + beside for width, height in SIZES] == list(billed)


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        ("gpt-4o", (1024, 1024), None, 765),  # 768 x 768: 85 + 4 x 170
        ("gpt-4o", (2048, 4096), None, 1105),  # 768 x 1536: 85 + 6 x 170
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4o-mini", (1, 1), None, 8500),  # 2833 + 5667: a bill says 8,512, with some words
        ("gpt-5", (1024, 1024), None, 630),  # 70 + 4 x 140
        ("o1", (1024, 1024), None, 675),  # 75 + 4 x 150
        ("gpt-4.1-mini", (1024, 1024), None, 1659),  # 32 x 32 patches x 1.62
        ("o4-mini", (1800, 2400), None, 2498),  # 33 x 44 = 1452 patches x 1.72
        ("gpt-5.2", (1024, 1024), "low", 308),  # 16 x 16 patches x 1.2
    ],
)
def test_gpt_s_tiles_and_patches_depend_on_the_model(model: str, size: tuple[int, int], detail: Detail | None, tokens: int):
    """The examples of OpenAI's guide."""
    assert picture(*size, model, detail) == tokens


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [
        ("gemini-2.5-flash", (8, 8), None, 258),
        ("gemini-2.5-flash", (1000, 800), None, 1032),  # 2 x 2 tiles of 768 pixels
        ("gemini-2.5-flash", (1000, 800), "low", 64),
        ("gemini-3-pro", (1000, 1000), "low", 256),  # 16 x 16 fit into 280
        ("gemini-3-pro", (1000, 1000), "medium", 529),  # 23 x 23 fit into 560
    ],
)
def test_gemini_has_tiles_and_then_budgets(model: str, size: tuple[int, int], detail: Detail | None, tokens: int):
    """258 a tile, or as many rows and columns as fit into the budget."""
    assert picture(*size, model, detail) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gpt-4o-audio-preview", 45), ("gemini-2.5-flash", 144), ("gemini-3-flash-preview", 113), ("anything", 45)],
)
def test_sounds_are_billed_by_the_second(model: str, tokens: int):
    """4.5 seconds at 10, 32 or 25 a second: bills of one recording say 44, 144 and 113."""
    assert media_tokens(Media(kind="audio", seconds=4.5), model) == tokens


@pytest.mark.parametrize(
    ("model", "detail", "tokens"),
    [
        ("gemini-2.5-flash", None, 17_700),  # a bill says 15,780 for the frames and 1,917 for the sound
        ("gemini-2.5-flash", "low", 5_880),
        ("gemini-3-flash-preview", None, 5_340),
    ],
)
def test_films_are_billed_by_the_second(model: str, detail: Detail | None, tokens: int):
    """A minute: frames and sound, 263 + 32, 66 + 32 or 64 + 25 a second."""
    assert media_tokens(Media(kind="video", seconds=60, detail=detail), model) == tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("gemini-2.0-flash", 19_866), ("gemini-3-pro", 43_120), ("claude-sonnet-4-5", 174_636), ("gpt-4o", 53_900)],
)
def test_files_are_billed_by_the_page(model: str, tokens: int):
    """77 pages at 258, 560, 1,568 + 700 or 700; a bill of such a paper says 19,866."""
    assert media_tokens(Media(kind="file", pages=77), model) == tokens


@pytest.mark.parametrize(
    ("media", "tokens"),
    [
        (Media(kind="image"), 3888),  # 2000 x 1500 pixels: 72 x 54
        (Media(kind="audio", bytes=160_000), 100),  # 10 seconds of 128 kbit/s
        (Media(kind="audio"), 300),  # half a minute
        (Media(kind="video", bytes=2_500_000), 2950),  # 10 seconds of 2 Mbit/s
        (Media(kind="file", bytes=120_000), 3 * 2268),  # pages of 50 KB
        (Media(kind="file"), 2268),
    ],
)
def test_what_is_not_known_is_taken_as_usual(media: Media, tokens: int):
    """A picture of unknown size as one that most rules reduce; a sound, film or file by its bytes."""
    assert media_tokens(media, "claude-opus-4-8") == tokens


@given(
    st.sampled_from(["gpt-4o", "gpt-5.5", "gpt-6-astra", "claude-haiku-4-5", "claude-opus-5-5", "gemini-2.5-pro", "gemini-3-pro", "x"]),
    st.integers(-1, 10**30),
    st.integers(-1, 10**30),
    st.sampled_from([None, "low", "medium", "high", "original"]),
)
def test_no_size_is_too_strange(model: str, width: int, height: int, detail: Detail | None):
    """Every picture costs something, and none costs more than one of the largest side that counts."""
    assert 1 <= picture(width, height, model, detail) <= 12_000_000

"""`token-otel prices`: what it prints, and how it refuses."""

from pathlib import Path

import pytest

from token_otel.cli import main


@pytest.fixture(autouse=True)
def _no_prices_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOKEN_OTEL_PRICES", raising=False)


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "prices.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_shows_a_price(capsys: pytest.CaptureFixture[str]):
    """With who says so, the sizes at which it changes, and the tiers that have others."""
    assert main(["prices", "show", "openai/gpt-6-sol", "--at", "2026-11-24"]) == 0
    out = capsys.readouterr().out.splitlines()

    assert out[0] == "openai/gpt-6-sol at 2026-11-24 00:00 UTC, standard tier"
    assert out[1].startswith("source: genai-prices 0.")
    assert out[1].endswith(", entry openai/gpt-6-sol")
    assert out[3].split() == ["USD", "per", "million", "tokens,", "by", "prompt", "up", "to", "272,000", "above", "272,000"]
    assert [line.split() for line in out[4:8]] == [
        ["input", "2", "4"],
        ["output", "10", "15"],
        ["cache", "read", "0.2", "0.4"],
        ["cache", "write", "5m", "2.5", "5"],
    ]
    assert out[-1] == "tiers with prices of their own: batch, fast, flex, priority (--tier)"


def test_shows_another_time_and_tier(capsys: pytest.CaptureFixture[str]):
    """A price is that of an instant: deepseek-v4-pro doubles at peak hours."""
    for at in ("2026-11-24T02:00", "2026-11-24T05:00+00:00"):
        assert main(["prices", "show", "deepseek/deepseek-v4-pro", "--at", at]) == 0
    assert main(["prices", "show", "openai/gpt-5", "--tier", "flex"]) == 0

    inputs = [line.split()[-1] for line in capsys.readouterr().out.splitlines() if line.startswith("input")]
    assert inputs == ["1.32", "0.66", "0.625"]


def test_shows_ones_own_prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """And says which of the files cannot be used."""
    path = write(tmp_path, '[[model]]\nmatch = "mine"\ninput = 7\nper_request = 0.5')
    monkeypatch.setenv("TOKEN_OTEL_PRICES", f"/nowhere.toml:{path}")

    assert main(["prices", "show", "mine"]) == 0
    out, err = capsys.readouterr()
    assert "source: override prices.toml, entry mine" in out
    assert [line.split() for line in out.splitlines() if line][-4:] == [
        ["per", "million", "tokens", "USD"],
        ["input", "7"],
        ["apiece", "USD"],
        ["request", "0.5"],
    ]
    assert err == (
        "token-otel: /nowhere.toml: cannot be read (No such file or directory); TOKEN_OTEL_PRICES names a .toml or .json file; "
        "the prices below it stay in force\n"
    )


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        (
            "openai/gpt-9",
            'gpt-9 of openai; state one in the file that TOKEN_OTEL_PRICES names: [[model]] with provider = "openai", match = "gpt-9"',
        ),
        ("gpt-9", 'gpt-9; state one in the file that TOKEN_OTEL_PRICES names: [[model]] with match = "gpt-9"'),
    ],
)
def test_an_unknown_model_is_one_sentence(named: str, sentence: str, capsys: pytest.CaptureFixture[str]):
    """With the entry to write."""
    assert main(["prices", "show", named]) == 2
    assert capsys.readouterr() == (
        "",
        f"token-otel: no price is known for {sentence}, input = ..., output = ... in USD per million tokens\n",
    )


def test_a_date_is_a_date(capsys: pytest.CaptureFixture[str]):
    """Or bad usage."""
    with pytest.raises(SystemExit) as stop:
        main(["prices", "show", "openai/gpt-5", "--at", "soon"])

    assert stop.value.code == 2
    assert "found 'soon', but a date such as 2026-12-01 is accepted" in capsys.readouterr().err


def test_says_what_a_file_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Entry by entry."""
    path = write(
        tmp_path,
        """
        settings.multiplier = 0.9
        provider.azure.multiplier = 0.8
        [[model]]
        provider = "azure"
        match = "mine-*"
        like = "openai/gpt-5"
        multiplier = 0.7
        input = 2
        tiers = [{ above = 200000, input = 4, output = 9 }]
        from = 2026-12-01
        when = { service_tier = "flex", batch = false, hours = "01:00-02:00", days = "mon" }
        [[model]]
        regex = "^x"
        per_request = 1
        when.batch = true
        [[model]]
        match = "gov.*"
        like = "aws/*"
        """,
    )

    assert main(["prices", "check", path]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{path}: accepted; 3 entries",
        "list prices x 0.9",
        "list prices of azure x 0.8",
        "  1. mine-* of azure: like openai/gpt-5 x 0.7, input 2, above 200,000 tokens input 4 and output 9; "
        "from 2026-12-01, in the flex tier, but for batches, at some hours, on some days",
        "  2. ^x of any provider: request 1; in batches",
        "  3. gov.* of any provider: like aws/*",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[[model]]\nmatch = "m"\nlike = "openai/gtp-5"',
            ', line 1 (model entry 1): found like = "openai/gtp-5", but a model with a known price is accepted',
        ),
        (
            '[[model]]\nmatch = "m"',
            ", line 1 (model entry 1): found no price, but at least `input`, `output`, `per_request`, `gpu_hour` or `like` is accepted",
        ),
    ],
)
def test_a_mistake_is_one_sentence(text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """And exit code 2."""
    path = write(tmp_path, text)

    assert main(["prices", "check", path]) == 2
    assert capsys.readouterr() == ("", f"token-otel: {path}{sentence}\n")

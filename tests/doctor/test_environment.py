"""What the doctor says of the environment."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pytest
from tests.doctor.conftest import Found

from token_otel.doctor import destinations, doubled, integrations, own_prices, settings_in_force
from token_otel.doctor.integrations import fits

pytestmark = pytest.mark.usefixtures("place")


@pytest.mark.parametrize(
    ("package", "framework", "module", "bounds"),
    [
        ("token_otel_langchain", "langchain-core", "langchain_core", ">=1.2,<2"),
        ("token_otel_openai_agents", "openai-agents", "agents", ">=0.20,<1"),
    ],
)
def test_names_each_integration_with_versions(package: str, framework: str, module: str, bounds: str):
    """What watches which version, and which it supports; a module may have another name than what brings it."""
    pytest.importorskip(module)
    found = Found(integrations.findings({}))

    [line] = [line for line in found.of("ok") if framework in line]
    assert line.startswith(f"{package} (token-otel 0.")
    assert line.endswith(f"it supports {bounds}.")


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, "OTEL_SDK_DISABLED=true"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "redis, token_otel"}, "names token_otel"),
    ],
)
def test_says_what_keeps_all_of_them_from_working(env: dict[str, str], sentence: str):
    """A variable can switch everything off."""
    [line] = Found(integrations.findings(env)).of("warning")
    assert sentence in line


def _distribution(place: Path, name: str, version: str, *lines: str, entry_point: str = "") -> None:
    info = place / "site" / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""]))
    if entry_point:
        (info / "entry_points.txt").write_text(f"[token_otel]\n{entry_point}\n")


@pytest.mark.parametrize(
    ("installed", "grade", "do"),
    [
        ("1.5", "ok", ""),
        ("2.1", "warning", 'Install one that is supported: pip install "acme>=1,<2"'),
        (None, "note", 'If you use it: pip install "token-otel-acme[agents]"'),
    ],
)
def test_an_integration_supports_some_versions(place: Path, monkeypatch: pytest.MonkeyPatch, installed: str | None, grade: str, do: str):
    """Its own metadata says which; the sentence holds what to install."""
    requirement = "Requires-Dist: acme<2,>=1; extra == 'agents'"
    _distribution(place, "token-otel-acme", "0.3", "Requires-Dist: other", requirement, entry_point="acme = token_otel_acme:integration")
    if installed is not None:
        _distribution(place, "acme", installed)
    monkeypatch.setattr(sys, "path", [str(place / "site")])

    [finding] = integrations.findings({})
    assert (finding.grade, finding.do) == (grade, do)
    assert finding.found.startswith("token_otel_acme (token-otel-acme 0.3) ")


def test_an_installation_without_integrations_is_broken(place: Path, monkeypatch: pytest.MonkeyPatch):
    """The wheel brings some."""
    monkeypatch.setattr(sys, "path", [str(place)])

    assert Found(integrations.findings({})).to_do() == ["Reinstall it: pip install --force-reinstall token-otel"]


@pytest.mark.parametrize(
    ("installed", "accepted", "fit"),
    [
        ("1.2", ">=1.2,<2", True),
        ("1.10.0", ">=1.2,<2", True),
        ("2.0.0", ">=1.2,<2", False),
        ("1.1.9", ">=1.2,<2", False),
        ("2.0rc1", ">=1.2,<2", False),
        ("1.3", ">=1,!=1.2", True),
        ("1.3", ">=1,===odd", True),
    ],
)
def test_versions_are_compared_by_their_numbers(installed: str, accepted: str, fit: bool):
    """1.10 is more than 1.2."""
    assert fits(installed, accepted) is fit


def _install(place: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package = place.joinpath("site", *module.split("."))
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.setattr(sys, "path", [str(place / "site")])


def test_finds_other_instrumentation_without_importing_it(place: Path, monkeypatch: pytest.MonkeyPatch):
    """With the variable that turns it off."""
    _install(place, "opentelemetry.instrumentation.openai_v2", monkeypatch)
    found = Found(doubled.findings({}))

    assert found.of("warning") == [
        "opentelemetry-instrumentation-openai-v2 is installed: once switched on, it writes a second span with tokens for each call."
    ]
    assert found.to_do() == ["Set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai_v2, or TOKEN_OTEL_MODEL_SPANS=off."]


def test_an_sdk_that_traces_unasked_is_named_as_such(place: Path, monkeypatch: pytest.MonkeyPatch):
    """The anthropic SDK needs nobody to switch it on."""
    _install(place, "anthropic._tracing", monkeypatch)

    assert Found(doubled.findings({})).to_do() == ["Set ANTHROPIC_OPEN_TELEMETRY=false; token_otel.init() does it for you."]


@pytest.mark.parametrize(
    "env", [{"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "redis,openai_v2"}, {"TOKEN_OTEL_MODEL_SPANS": "off"}], ids=["theirs", "ours"]
)
def test_a_double_that_is_turned_off_is_fine(place: Path, monkeypatch: pytest.MonkeyPatch, env: dict[str, str]):
    """Either theirs or ours."""
    _install(place, "opentelemetry.instrumentation.openai_v2", monkeypatch)
    found = Found(doubled.findings(env))

    assert (len(found.of("ok")), found.of("warning")) == (1, [])


def test_says_when_nothing_doubles(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Silence could mean that nobody looked."""
    monkeypatch.setattr(sys, "path", [str(place)])

    assert Found(doubled.findings({})).of("ok") == ["None is installed that would write a second span for a model call."]


def test_spans_go_to_a_file():
    """Without an endpoint."""
    assert Found(destinations.findings({})).of("ok") == ["To the file token-otel.jsonl, since no OTLP endpoint is set; it can be written."]


@pytest.mark.parametrize(("file", "sentence"), [("there", "there is a directory"), ("plain/spans.jsonl", "plain is a file")])
def test_a_file_that_cannot_be(place: Path, file: str, sentence: str):
    """A directory has its name, or a file that of its directory."""
    (place / "there").mkdir()
    (place / "plain").touch()

    [line] = Found(destinations.findings({"TOKEN_OTEL_FILE": file})).of("warning")
    assert sentence in line


def test_a_file_that_cannot_be_written(place: Path, monkeypatch: pytest.MonkeyPatch):
    """For want of a right."""

    def refuse(path: Path, mode: int) -> bool:
        return False

    monkeypatch.setattr(os, "access", refuse)

    [line] = Found(destinations.findings({})).of("warning")
    assert line.endswith("cannot be written.")


def _with_exporter(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.joinpath("site", *destinations.EXPORTER).mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(place / "site")])


def test_spans_go_to_an_endpoint_whose_secrets_stay_here(place: Path, monkeypatch: pytest.MonkeyPatch):
    """A password may stand in an address."""
    _with_exporter(place, monkeypatch)
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:secret@collector:4318/v1?key=secret"}

    assert Found(destinations.findings(env)).of("ok") == ["To https://collector:4318/v1, by OTEL_EXPORTER_OTLP_ENDPOINT."]


def test_an_endpoint_needs_its_exporter(place: Path, monkeypatch: pytest.MonkeyPatch):
    """The sentence holds what to install."""
    monkeypatch.setattr(sys, "path", [str(place)])
    found = Found(destinations.findings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}))

    assert found.to_do() == ['Install it: pip install "token-otel[otlp]"']


@pytest.mark.parametrize("endpoint", ["localhost:4318", "http://user:secret@[::1"])
def test_an_endpoint_is_an_address(endpoint: str, place: Path, monkeypatch: pytest.MonkeyPatch):
    """It has a scheme, and can be taken apart; its secrets are not shown if it cannot."""
    _with_exporter(place, monkeypatch)

    [line] = Found(destinations.findings({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint})).of("warning")
    assert "secret" not in line
    assert line.endswith("which is no http:// or https:// address.")


def test_the_grpc_port_is_not_ours(place: Path, monkeypatch: pytest.MonkeyPatch):
    """4317 is what gRPC speaks."""
    _with_exporter(place, monkeypatch)

    [line] = Found(destinations.findings({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317"})).to_do("note")
    assert line == "Name the HTTP port of your collector, usually 4318."


def test_a_sampler_makes_sums_too_small():
    """Metrics still count every call."""
    env = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}

    assert Found(destinations.findings(env)).of("note") == [
        "OTEL_TRACES_SAMPLER=traceidratio (0.1) drops spans: sums over spans are too small."
    ]


def test_no_exporter_is_a_warning():
    """Somebody asked for it, and may have forgotten."""
    assert len(Found(destinations.findings({"OTEL_TRACES_EXPORTER": "none"})).of("warning")) == 1


def test_shows_what_is_set_but_for_the_secret():
    """A key is not for a screen."""
    env = {"TOKEN_OTEL_FLOW": "ids", "TOKEN_OTEL_NAMES_KEY": "hush"}

    assert Found(settings_in_force.findings(env)).of("ok") == ["In force: TOKEN_OTEL_FLOW=ids, TOKEN_OTEL_NAMES_KEY=(set)."]


def test_a_bad_setting_is_one_sentence():
    """By name, with what is accepted and what holds instead."""
    found = Found(settings_in_force.findings({"TOKEN_OTEL_FLOW": "all"}))

    assert found.of("warning") == ["TOKEN_OTEL_FLOW is 'all', but accepted are off, ids, text; its default stands."]
    assert found.of("ok") == ["All at their defaults."]


def test_a_name_that_is_almost_ours_is_a_slip():
    """It changes nothing, and nobody else would say so."""
    assert Found(settings_in_force.findings({"TOKEN_OTEL_PRICE": "p.toml"})).to_do() == ["Set TOKEN_OTEL_PRICES."]


def test_being_off_is_a_warning():
    """It explains why there is nothing to see."""
    assert Found(settings_in_force.findings({"TOKEN_OTEL_ENABLED": "off"})).of("warning") == [
        "TOKEN_OTEL_ENABLED=off: nothing is recorded."
    ]


def test_hashes_need_a_key_to_agree():
    """A random one differs from process to process."""
    assert len(Found(settings_in_force.findings({"TOKEN_OTEL_NAMES": "hashed"})).of("note")) == 1


def test_the_age_of_prices_is_that_of_their_newest_change():
    """After three months it is time for others."""
    newest = own_prices.newest_dated_price(date(2026, 11, 24))
    assert newest is not None
    fresh = Found(own_prices.findings({}, today=newest))
    old = Found(own_prices.findings({}, today=date(2040, 1, 1)))

    assert fresh.of("ok")[0].endswith(f"its newest dated price is of {newest}.")
    assert old.to_do("note") == ["Get newer ones: pip install --upgrade genai-prices"]


def test_ones_own_prices_are_named(place: Path):
    """They lie over the others."""
    (place / "p.toml").write_text('[[model]]\nmatch = "m"\ninput = 1\n')

    assert "Your own prices lie over them: p.toml." in Found(own_prices.findings({"TOKEN_OTEL_PRICES": "p.toml"})).of("ok")


def test_bad_prices_are_one_sentence():
    """The prices beneath stay in force."""
    found = Found(own_prices.findings({"TOKEN_OTEL_PRICES": "none.toml"}))

    [line] = found.of("warning")
    assert line.startswith("none.toml: cannot be read")

"""Where spans go, and whether they can."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from token_otel.doctor.finding import Finding
from token_otel.settings import Settings

ABOUT = "Where spans go"

_TRACES, _ALL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
EXPORTER = ("opentelemetry", "exporter", "otlp", "proto", "http", "trace_exporter")
_SAMPLERS_OF_ALL = frozenset({"", "always_on", "parentbased_always_on"})


def findings(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield where `init()` would send spans, and what would keep them from arriving."""
    variable = _TRACES if env.get(_TRACES) else _ALL
    endpoint = env.get(variable, "").strip()
    if endpoint:
        yield from _endpoint(variable, endpoint, env)
    else:
        yield _file(Path(Settings.from_env(env, on_error=_ignore).file))
    if env.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        found = "OTEL_TRACES_EXPORTER=none: under opentelemetry-instrument no span is exported."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Unset it, or set it to otlp.")
    sampler = env.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if sampler not in _SAMPLERS_OF_ALL:
        argument = env.get("OTEL_TRACES_SAMPLER_ARG", "").strip()
        found = f"OTEL_TRACES_SAMPLER={sampler}{f' ({argument})' if argument else ''} drops spans: sums over spans are too small."
        yield Finding(about=ABOUT, grade="note", found=found, do="Sum the metrics instead, which count every call, or unset it.")


def _endpoint(variable: str, endpoint: str, env: Mapping[str, str]) -> Iterator[Finding]:
    shown = without_secrets(endpoint)
    if not any(Path(entry, *EXPORTER).is_dir() for entry in sys.path):
        found = f"{variable} is {shown}, but the exporter is not installed: token_otel.init() raises."
        yield Finding(about=ABOUT, grade="warning", found=found, do='Install it: pip install "token-otel[otlp]"')
        return
    if not shown.lower().startswith(("http://", "https://")):
        found = f"{variable} is {shown}, which is no http:// or https:// address."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Name the scheme, for example http://localhost:4318")
        return
    yield Finding(about=ABOUT, grade="ok", found=f"To {shown}, by {variable}.")
    protocol = env.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or env.get("OTEL_EXPORTER_OTLP_PROTOCOL") or ""
    if protocol.strip().lower() == "grpc" or _port(endpoint) == 4317:
        found = "token_otel.init() speaks OTLP over HTTP, and this looks like a gRPC endpoint."
        yield Finding(about=ABOUT, grade="note", found=found, do="Name the HTTP port of your collector, usually 4318.")


def _file(path: Path) -> Finding:
    where = f"To the file {path}, since no OTLP endpoint is set"
    nearest = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    if path.is_dir() or (nearest != path.absolute() and not nearest.is_dir()):
        found = f"{where}, but {nearest} {'is a directory' if nearest.is_dir() else 'is a file'}."
        return Finding(about=ABOUT, grade="warning", found=found, do="Name another file in TOKEN_OTEL_FILE.")
    if not os.access(nearest, os.W_OK):
        found = f"{where}, but {nearest} cannot be written."
        return Finding(about=ABOUT, grade="warning", found=found, do="Name another file in TOKEN_OTEL_FILE.")
    return Finding(about=ABOUT, grade="ok", found=f"{where}; it can be written.")


def without_secrets(endpoint: str) -> str:
    """Return an address without the user, password and query that may stand in it; of what is no address, nothing."""
    try:
        parts = urlsplit(endpoint)
    except ValueError:
        return "..."
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _port(endpoint: str) -> int | None:
    try:
        return urlsplit(endpoint).port
    except ValueError:
        return None


def _ignore(_: str) -> None:
    """Another finding says what is bad."""

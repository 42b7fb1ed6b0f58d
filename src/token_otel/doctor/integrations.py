"""Which integrations are installed, and whether they would watch anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

from token_otel.doctor.finding import Finding

ABOUT = "Integrations"

_GROUP = "token_otel"
_CORE = "token-otel"
_REQUIREMENT = re.compile(r"([\w.\-]+)\s*(?:\[[^\]]*\])?\s*([^;]*?)\s*;.*extra\s*==\s*['\"]([\w\-]+)['\"]")


def findings(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield one finding for each integration, and for what keeps all of them from working."""
    points = sorted(entry_points(group=_GROUP))
    for point in points:
        yield _integration(point)
    if not points:
        found = f"token-otel {_version(_CORE) or 'of unknown version'} has no integration."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Reinstall it: pip install --force-reinstall token-otel")
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        found = "OTEL_SDK_DISABLED=true switches OpenTelemetry off, and token-otel with it."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Unset it to see anything.")
    if _GROUP in [name.strip() for name in env.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")]:
        found = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS names token_otel: opentelemetry-instrument does not switch it on."
        yield Finding(about=ABOUT, grade="warning", found=found, do="Take token_otel out of that list, or call token_otel.instrument().")


def _integration(point: EntryPoint) -> Finding:
    package = point.value.partition(":")[0]
    framework = (point.extras[0] if point.extras else point.name).replace("_", "-")
    extra, accepted = _supported(point, framework)
    name = point.dist.name if point.dist is not None else _CORE
    who = f"{package} ({name} {_version(name)})"
    installed = _version(framework)
    if installed is None:
        found = f"{who} has nothing to watch: {framework} is not installed."
        return Finding(about=ABOUT, grade="note", found=found, do=f'If you use it: pip install "{name}[{extra or framework}]"')
    if accepted and not fits(installed, accepted):
        found = f"{who} supports {framework} {accepted}, but {installed} is installed."
        return Finding(about=ABOUT, grade="warning", found=found, do=f'Install one that is supported: pip install "{framework}{accepted}"')
    found = f"{who} watches {framework} {installed}" + (f"; it supports {accepted}." if accepted else ".")
    return Finding(about=ABOUT, grade="ok", found=found)


def fits(installed: str, accepted: str) -> bool:
    """Whether a version is within bounds such as `<2,>=1.2`; only the numbers of a release are looked at."""
    have = _numbers(installed)
    for bound in accepted.split(","):
        match = re.fullmatch(r"\s*(>=|<=|<|>|==|!=|~=)\s*([\d.]+)\S*\s*", bound)
        if match is None:
            continue
        width = max(len(have), len(_numbers(match[2])))
        mine, theirs = (numbers + (0,) * (width - len(numbers)) for numbers in (have, _numbers(match[2])))
        met = {">=": mine >= theirs, "<=": mine <= theirs, "<": mine < theirs, ">": mine > theirs, "==": mine == theirs}
        if not met.get(match[1], True):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(number) for number in match[0].split(".")) if match is not None else ()


def _supported(point: EntryPoint, framework: str) -> tuple[str | None, str]:
    """Return the extra that installs a framework, and the versions that it accepts."""
    for line in (point.dist.requires if point.dist is not None else None) or ():
        match = _REQUIREMENT.match(line)
        if match is not None and match[1].lower().replace("_", "-") == framework:
            return match[3], ",".join(sorted(match[2].replace(" ", "").split(","), reverse=True))
    return None, ""


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

"""The settings that differ from their defaults, and those that are not what they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from token_otel.doctor.finding import Finding
from token_otel.settings import VARIABLES, Settings

ABOUT = "Settings"

_PREFIX = "TOKEN_OTEL_"
_SECRET = frozenset({"TOKEN_OTEL_NAMES_KEY"})


def findings(env: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is set, each bad value, and names that are almost ours."""
    bad: list[str] = []
    settings = Settings.from_env(env, on_error=lambda sentence: bad.append(str(sentence)))
    refused = {sentence.partition(" ")[0] for sentence in bad}
    chosen = [name for name in VARIABLES if env.get(name, "").strip() and name not in refused]
    shown = [f"{name}={'(set)' if name in _SECRET else env[name].strip()}" for name in chosen]
    yield Finding(about=ABOUT, grade="ok", found=f"In force: {', '.join(shown)}." if shown else "All at their defaults.")
    for sentence in bad:
        yield Finding(about=ABOUT, grade="warning", found=f"{sentence}.", do="Correct it, or unset it.")
    for name in sorted(env):
        if name.startswith(_PREFIX) and name not in VARIABLES:
            meant = get_close_matches(name, VARIABLES, n=1, cutoff=0.85)
            if meant:
                yield Finding(about=ABOUT, grade="warning", found=f"{name} is not a setting, and changes nothing.", do=f"Set {meant[0]}.")
    if not settings.enabled and env.get("OTEL_SDK_DISABLED", "").strip().lower() != "true":
        yield Finding(about=ABOUT, grade="warning", found="TOKEN_OTEL_ENABLED=off: nothing is recorded.", do="Unset it to see anything.")
    if settings.names == "hashed" and not settings.names_key:
        found = "Names are hashed with a random key: every process gives the same agent another name."
        yield Finding(about=ABOUT, grade="note", found=found, do="Set TOKEN_OTEL_NAMES_KEY to the same secret everywhere.")

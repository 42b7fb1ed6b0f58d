"""What holds in every test: nothing is swallowed, no setting of the developer's shell counts, no host but this one is reached."""

from __future__ import annotations

import os
import sys

import hypothesis

# What CI hands to the tests; every other setting is a test's own business.
_FOR_THE_TESTS = {"TOKEN_OTEL_EXAMPLES", "TOKEN_OTEL_PROVIDER_CALLS", "TOKEN_OTEL_MLFLOW_PYTHON", "TOKEN_OTEL_PROMETHEUS"}

for _name in list(os.environ):
    if _name.startswith(("OTEL_", "TOKEN_OTEL_", "LANGSMITH_", "LANGCHAIN_")) and _name not in _FOR_THE_TESTS:
        del os.environ[_name]
os.environ["TOKEN_OTEL_RAISE"] = "1"

# Two shared cores make deadlines flaky; in CI the same examples are tried every time.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def _stay_on_this_host(event: str, args: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = args[1]
        host = str(address[0]) if isinstance(address, tuple) else "localhost"  # pyright: ignore[reportUnknownArgumentType]
    elif event == "socket.getaddrinfo":
        host = str(args[0])
    else:
        return
    if host not in {"localhost", "::1", "None"} and not host.startswith("127."):
        raise RuntimeError(f"a test wants to reach {host}, but tests run offline")


sys.addaudithook(_stay_on_this_host)

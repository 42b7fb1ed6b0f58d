"""What `import token_otel` costs a program that has imported the OpenTelemetry SDK already.

Each round starts one interpreter without it and one with it, so that whatever else the machine does hits both.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

BASELINE = "import opentelemetry.sdk.trace"
SCRIPTS = {"the SDK alone": BASELINE, "with token_otel": f"{BASELINE}\nimport token_otel"}


def process_ms(script: str) -> float:
    """Milliseconds from the start of an interpreter that runs `script` to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True)
    return (time.perf_counter() - start) * 1_000


def spread(values: list[float]) -> str:
    return f"{min(values):8.1f} {statistics.median(values):8.1f} {max(values):8.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds: int = parser.parse_args().rounds

    for script in SCRIPTS.values():  # fill the byte code cache
        process_ms(script)
    seen: dict[str, list[float]] = {name: [] for name in SCRIPTS}
    for _ in range(rounds):
        for name, script in SCRIPTS.items():
            seen[name].append(process_ms(script))

    print(f"{rounds} rounds, ms of the whole process:    min   median      max")
    for name, values in seen.items():
        print(f"  {name:<33}{spread(values)}")
    without, with_it = seen.values()
    print(f"  {'difference, round by round':<33}{spread([b - a for a, b in zip(without, with_it, strict=True)])}")


if __name__ == "__main__":
    main()

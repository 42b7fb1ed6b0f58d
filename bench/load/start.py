"""What a contender adds to the start of a program: `python -m bench.load.start NAME`, one process for each time.

The frameworks and the SDK are imported before the clock starts: whoever watches them has them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module

from bench.load.child import Watched, resident_bytes
from bench.load.contenders import CONTENDERS, Contender


def measure(contender: Contender) -> dict[str, float]:
    """Return milliseconds of CPU for the import, the start and the first call, flush included, and MB of RSS."""
    held = resident_bytes()
    clocks = [time.process_time()]
    if contender.module:
        import_module(contender.module)
    clocks.append(time.process_time())
    watched = Watched(contender, with_metrics=False)
    clocks.append(time.process_time())
    first = watched.run("invoke", 1)["cpu_ns"] / 1e6
    return {
        "import_ms": (clocks[1] - clocks[0]) * 1_000,
        "start_ms": (clocks[2] - clocks[1]) * 1_000,
        "first_call_ms": first,
        "resident_mb": (resident_bytes() - held) / 1e6,
    }


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answers.write(json.dumps(measure(CONTENDERS[sys.argv[1]])))


if __name__ == "__main__":
    main()

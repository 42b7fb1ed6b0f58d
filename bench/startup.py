"""What token-otel adds to the start of a program, each figure from fresh processes, in turn with a bare one.

The OpenTelemetry SDK is imported before the clock starts. `first recorder`: until `Recorder()` is back at the caller, the import of the
modules it needs included, while the worker loads the prices. RSS: of the process with encodings and prices loaded, by a call that was
counted and priced; and without token-otel.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import defaultdict

SETUP = """
import json, os, sys, time
import opentelemetry.sdk.trace
from opentelemetry.sdk.trace import TracerProvider
def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
wall, caller, whole = time.perf_counter(), time.thread_time(), time.process_time()
said = {}
def say(name):
    global wall, caller, whole
    now = time.perf_counter(), time.thread_time(), time.process_time()
    said[f"{name}: wall, ms"] = (now[0] - wall) * 1e3
    said[f"{name}: CPU of the caller, ms"] = (now[1] - caller) * 1e3
    said[f"{name}: CPU of the process, ms"] = (now[2] - whole) * 1e3
    wall, caller, whole = time.perf_counter(), time.thread_time(), time.process_time()
"""
BARE = "provider = TracerProvider()\n"
OURS = """
import token_otel
say("import token_otel")
provider = TracerProvider()
from token_otel import Recorder, Settings, Usage
from token_otel.events import ModelEnded, ModelStarted, Part
recorder = Recorder(provider, settings=Settings(raise_errors=True))
say("first recorder")
prompt = (Part(kind="user", text="How long is the river? " * 20),)
recorder.record(ModelStarted(run_id="1", model="gpt-5", provider="openai", prompt=prompt))
recorder.record(ModelEnded(run_id="1", usage=Usage(input=120, output=10), output=(Part(kind="assistant", text="Long."),), model="gpt-5"))
recorder.flush()
say("first call, and prices loaded")
"""
END = "said['RSS, MB'] = resident_mb()\nprint(json.dumps(said))\n"
SCRIPTS = {"without": SETUP + BARE + END, "with token-otel": SETUP + OURS + END}
REACH = {"import token_otel: wall, ms": 60, "first recorder: wall, ms": 600, "RSS, MB": 170}


def process(script: str) -> dict[str, float]:
    """Run a script in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for script in SCRIPTS.values():  # fill the byte code cache
        process(script)
    seen: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in SCRIPTS}
    for _ in range(options.rounds):
        for name, script in SCRIPTS.items():
            for key, value in process(script).items():
                seen[name][key].append(value)
    if options.json:
        print(json.dumps(seen, indent=2))
        return
    print(f"{options.rounds} rounds{'':<46}     min   median      max    reach")
    for name, values in seen.items():
        for key, each in values.items():
            reach = REACH.get(key, "") if name != "without" else ""
            print(f"  {f'{name}, {key}':<52}{min(each):9.1f}{statistics.median(each):9.1f}{max(each):9.1f}{reach:>9}")


if __name__ == "__main__":
    main()

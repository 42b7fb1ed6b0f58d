"""`python_of`: the interpreter of an environment that is made when it is first asked for."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "bench" / "requirements"
PINS = ROOT / "requirements" / "dev.txt"


def python_of(environment: str, folder: Path) -> Path:
    """Return the interpreter of `environment`, made anew in `folder` when what it is made from has changed."""
    home = folder / environment
    python = home / "bin" / "python"
    stamp = home / ".made-from"
    wanted = REQUIREMENTS / (f"{environment}.in" if environment != "token-otel" else "common.in")
    parts = [path.read_bytes() for path in (wanted, REQUIREMENTS / "common.in", PINS, ROOT / "pyproject.toml")]
    made_from = sha256(b"".join([str(ROOT).encode(), *parts])).hexdigest()
    if stamp.exists() and stamp.read_text() == made_from:
        return python
    print(f"making the environment of {environment}", file=sys.stderr)
    _uv("venv", "--clear", "--python", sys.executable, str(home))
    install = ["pip", "install", "--python", str(python), "-c", str(PINS), "-r", str(wanted)]
    if environment == "token-otel":
        install += ["-e", f"{ROOT}[langchain]"]
    _uv(*install)
    stamp.write_text(made_from)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "--quiet", *arguments], check=True)

"""Write constraints.txt: the version of every package in .venv, to be run by .venv's own Python.

Install all the extras first, so that one file covers them:
``.venv/bin/pip install --editable '.[test,export]'``.
"""

import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

LOCK = Path(__file__).resolve().parent.parent / "constraints.txt"
HEADER = """\
# Versions that were tested together, for pip's --constraint: make, CI and environment.yml use this file.
# `make lock` writes it from the environment .venv. Reasons for ranges stand in pyproject.toml.
"""


def locked() -> list[str]:
    """One ``name==version`` a line; a build's local label (``+cpu``) is left out, so any build of it fits."""
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--all", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    )
    pins = [line.split("+")[0].split("==") for line in frozen.stdout.splitlines() if "==" in line]
    named = sorted((canonicalize_name(name), version) for name, version in pins)
    return [f"{name}=={version}" for name, version in named if name not in ("zephyrkit", "pip")]


if __name__ == "__main__":
    LOCK.write_text(HEADER + "\n".join(locked()) + "\n")
    print(f"{LOCK.name}: {len(locked())} packages")

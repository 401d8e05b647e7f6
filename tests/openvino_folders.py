"""The practice model as OpenVINO folders: the shipped one, and others that are exported once a test run."""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import zephyrkit as zk


@cache
def exported(weights: str) -> Path:
    """A fresh export with these weights ("fp32", "int8"), by optimum's own command; takes about 20 s."""
    home = Path(tempfile.mkdtemp(prefix="zephyrkit-openvino-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    folder = home / f"practice-{weights}"
    # The program optimum-cli, by the module behind it: a virtual environment's bin may not be on the path.
    program = "from optimum.commands.optimum_cli import main; main()"
    command = [sys.executable, "-c", program, "export", "openvino", "--model", str(zk.PRACTICE_HF)]
    command += ["--task", "text-generation-with-past", "--weight-format", weights, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def eight_bits() -> Path:
    """The folder that comes with the kit, or the same made now."""
    return zk.PRACTICE_OPENVINO if zk.PRACTICE_OPENVINO.is_dir() else exported("int8")


def full_precision() -> Path:
    """32-bit weights, for comparisons token by token."""
    return exported("fp32")

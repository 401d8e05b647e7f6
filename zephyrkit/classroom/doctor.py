"""Is this machine ready for the course? One row a question, with a fix where the answer is no.

    zephyrkit doctor
    zephyrkit doctor --json

In a notebook it is `zephyrkit.doctor()`. Where the command line itself doesn't
start, `python -m zephyrkit.classroom.doctor` needs less. Nothing here changes
the machine, and nothing but the row about the Hub uses the network.
"""

import argparse
import sys
from collections.abc import Callable

from .machine_checks import (
    check_cores,
    check_disk,
    check_kernel,
    check_memory,
    check_packages,
    check_port,
    check_python,
)
from .model_checks import check_hub, check_llama, check_models, check_practice
from .report import Report, Row

CHECKS: tuple[Callable[[], Row], ...] = (
    check_python, check_packages, check_kernel, check_cores, check_memory, check_disk, check_port,
    check_llama, check_practice, check_models, check_hub,
)  # fmt: skip


def doctor() -> Report:
    """Look at Python, the packages, the kernel, the processor, memory, disk, the engine, the models and the Hub.

    Takes a few seconds: llama.cpp is tried in a process of its own, so that a
    processor that lacks an instruction ends that process and not your kernel.
    The Hub, or the mirror that HF_ENDPOINT names, has 3 seconds to answer; with
    HF_HUB_OFFLINE=1 it isn't asked.
    """
    return Report(tuple(check() for check in CHECKS))


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 1 when a check failed."""
    parser = argparse.ArgumentParser(
        prog="python -m zephyrkit.classroom.doctor", description="Is this machine ready for the course?"
    )
    parser.add_argument("--json", action="store_true", help="print JSON for other programs")
    chosen = parser.parse_args(arguments)
    report = doctor()
    print(report.as_json() if chosen.json else report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())

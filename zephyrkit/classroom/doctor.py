"""Is this machine ready for the course? One row a question, with a fix where the answer is no.

    python -m zephyrkit.classroom.doctor
    python -m zephyrkit.classroom.doctor --json

In a notebook it is `zephyrkit.doctor()`. Nothing here changes the machine or
needs a network.
"""

import argparse
import hashlib
import html
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from ..catalogue import PRACTICE
from ..machine import free_memory, physical_cores
from .engine_check import check_engine

State = Literal["ok", "warn", "fail"]

OLDEST_PYTHON = (3, 11)
PRACTICE_MEMORY = 250_000_000
"""Bytes for a lesson with the practice model, with room to spare.

A kernel with the model loaded twice (the kit's way and by hand), a chat window
and a plot had 150 MB resident on Linux.
"""

ZEPHYR_MEMORY = 1_708_000_000 + 4096 * 320 * 1024
"""Bytes for StableLM Zephyr 3B as Q4_K_M: the file's weights, and the KV cache for 4,096 tokens at f16."""

ZEPHYR_DISK = 1_710_000_000
"""Bytes of the Q4_K_M file, as the model card has it."""


@dataclass(frozen=True)
class Row:
    """One finding: what was looked at, how it stands, what was found, and what to do about it."""

    name: str
    state: State
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Report:
    """All findings. ``ok`` means that the lessons can be run with the practice model."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed; warnings are allowed."""
        return all(row.state != "fail" for row in self.rows)

    @property
    def summary(self) -> str:
        """One sentence on the whole."""
        failed = sum(row.state == "fail" for row in self.rows)
        warned = sum(row.state == "warn" for row in self.rows)
        if failed:
            return (
                f"{failed} of {len(self.rows)} checks failed. Do what stands under them, then run this again."
            )
        if warned:
            return f"Ready for the practice model. {warned} of {len(self.rows)} checks have a remark."
        return f"Ready. All {len(self.rows)} checks passed."

    def as_json(self) -> str:
        """The report for other programs."""
        document = {"ok": self.ok, "summary": self.summary, "rows": [asdict(row) for row in self.rows]}
        return json.dumps(document, ensure_ascii=False, indent=2)

    def __repr__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = []
        for row in self.rows:
            lines.append(f"{row.state:4}  {row.name:{width}}  {row.found}")
            lines += [f"{'':4}  {'':{width}}  -> {row.fix}"] if row.fix else []
        return "\n".join([*lines, "", self.summary])

    def _repr_html_(self) -> str:
        signs = {"ok": "✓ ok", "warn": "! remark", "fail": "✗ failed"}
        cell = '<td style="text-align:left;vertical-align:top">'
        body = "".join(
            f"<tr>{cell}<strong>{signs[row.state]}</strong></td>"
            f'<th scope="row" style="text-align:left;vertical-align:top">{html.escape(row.name)}</th>'
            f"{cell}{html.escape(row.found)}"
            + (f"<br>What to do: {html.escape(row.fix)}" if row.fix else "")
            + "</td></tr>"
            for row in self.rows
        )
        return (
            f'<table><caption style="text-align:left">{html.escape(self.summary)}</caption><thead><tr>'
            '<th scope="col">state</th><th scope="col">what</th><th scope="col">found</th></tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )


def doctor() -> Report:
    """Look at Python, the packages, the processor, memory, disk, the engine and the practice model.

    Takes a few seconds: llama.cpp is tried in a process of its own, so that a
    processor that lacks an instruction ends that process and not your kernel.
    """
    return Report(tuple(check() for check in CHECKS))


def check_python() -> Row:
    """Python is new enough."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Row("Python", "fail", version, "Install Python 3.11 or newer and set the course up with it.")
    return Row("Python", "ok", f"{version}, environment {Path(sys.prefix).name}")


def check_packages() -> Row:
    """What zephyrkit was tested with is installed, in the versions that it asks for."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in metadata.requires("zephyrkit") or []]
    except metadata.PackageNotFoundError:
        return Row(
            "packages", "warn", "zephyrkit runs from its folder and is not installed, so versions can't be compared",
            "Install it in this environment: pip install -e . in the project's folder.",
        )  # fmt: skip
    wanted = [r for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [text for text in map(_unmet, wanted) if text]
    if wrong:
        return Row("packages", "fail", "; ".join(wrong), f'Run: "{sys.executable}" -m pip install zephyrkit')
    return Row("packages", "ok", f"{len(wanted)} packages, all in versions that the course was made for")


def _unmet(requirement) -> str | None:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(version, prereleases=True):
        return None
    return f"{requirement.name} is {version}, not {requirement.specifier}"


def check_cores() -> Row:
    """Cores to compute on, with this process's and its container's limits counted."""
    cores = physical_cores()
    if cores == 1:
        return Row("cores", "warn", "1", "The course works on one core; replies of larger models are slow.")
    return Row("cores", "ok", f"{cores} to compute on")


def check_memory() -> Row:
    """Free memory, a container's limit counted."""
    free = free_memory()
    found = f"{_gigabytes(free)} free"
    if free < PRACTICE_MEMORY:
        return Row(
            "memory", "fail", found, f"Close other programs: {_gigabytes(PRACTICE_MEMORY)} are needed."
        )
    if free < ZEPHYR_MEMORY:
        return Row(
            "memory", "warn", f"{found}: enough for the practice model",
            f"StableLM Zephyr 3B as Q4_K_M takes {_gigabytes(ZEPHYR_MEMORY)}: weights and 4,096 tokens of context.",
        )  # fmt: skip
    return Row("memory", "ok", f"{found}: enough for StableLM Zephyr 3B as Q4_K_M too")


def check_disk() -> Row:
    """Room where the Hugging Face Hub keeps what it downloads."""
    folder = _model_folder()
    free = shutil.disk_usage(folder).free
    if free < ZEPHYR_DISK:
        return Row(
            "disk", "warn", f"{_gigabytes(free)} free: enough for the practice model",
            f"StableLM Zephyr 3B as Q4_K_M is {_gigabytes(ZEPHYR_DISK)}. Make room, or set HF_HOME to a folder on "
            "another disk.",
        )  # fmt: skip
    return Row("disk", "ok", f"{_gigabytes(free)} free where models are kept")


def check_practice() -> Row:
    """The practice model's file is there and whole."""
    if not PRACTICE.is_file():
        return Row("practice model", "fail", f"{PRACTICE.name} is missing", _REINSTALL)
    data = PRACTICE.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    known = _known_digest()
    if known is None:
        if data[:4] != b"GGUF":
            return Row("practice model", "fail", f"{PRACTICE.name} is not a GGUF file", _REINSTALL)
        return Row(
            "practice model", "warn", f"{PRACTICE.name} is there, {len(data) / 1e6:.1f} MB, sha256 {digest[:12]}…",
            "Its card lists no checksum, so it can't be compared. The row above says whether it loads.",
        )  # fmt: skip
    if digest != known:
        found = f"{PRACTICE.name} has sha256 {digest[:12]}…, but {known[:12]}… was shipped"
        return Row("practice model", "fail", found, _REINSTALL)
    return Row(
        "practice model", "ok", f"{PRACTICE.name} is whole: {len(data) / 1e6:.1f} MB, sha256 {digest[:12]}…"
    )


_REINSTALL = (
    "Get it again: git checkout -- zephyrkit/practice in the project's folder, or reinstall zephyrkit."
)


def _known_digest() -> str | None:
    """The shipped sha256, from the model's card (``card.json`` beside it); None when there is none."""
    try:
        card = json.loads((PRACTICE.parent / "card.json").read_text(encoding="utf-8"))
        return str(card["files"][PRACTICE.name]["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_llama() -> Row:
    """llama.cpp loads, reads the practice model and says something, in a process of its own."""
    engine = check_engine(PRACTICE)
    return Row("llama.cpp", "ok" if engine.ok else "fail", engine.found, engine.fix)


CHECKS: tuple[Callable[[], Row], ...] = (
    check_python, check_packages, check_cores, check_memory, check_disk, check_llama, check_practice,
)  # fmt: skip


def _model_folder() -> Path:
    """The nearest existing folder above the Hub's cache (``HF_HUB_CACHE``, ``HF_HOME`` or its default)."""
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    folder = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    while not folder.exists():
        folder = folder.parent
    return folder


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 1 when a check failed."""
    parser = argparse.ArgumentParser(prog="python -m zephyrkit.classroom.doctor", description=doctor.__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON for other programs")
    chosen = parser.parse_args(arguments)
    report = doctor()
    print(report.as_json() if chosen.json else report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())

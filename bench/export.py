"""The export to OpenVINO at full shape: time, memory and size, against the plain optimum-cli command.

Memory is counted in two ways. *Private* is what the process has to itself; the
system can't take it away. *Resident* is private and the files that are read
through the memory: it is what most tools show, and the system drops the files' part
when something else needs the room.

Each export reads 5.6 GB and takes minutes. ``ZEPHYRKIT_BENCH_LAYERS=4`` makes the
model smaller (575 million weights), for trying the bench out.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from zephyrkit import EXPORT_PRESETS, ExportError, estimate_export, export_openvino
from zephyrkit.convert.child import memory_of
from zephyrkit.convert.to_openvino import PROGRAM, environment

from .export_source import build, source
from .row import Row
from .stand_in import OUT, Shape

LAYERS = "ZEPHYRKIT_BENCH_LAYERS"
COMPARED = "int4 fast"
"""The preset that is exported both ways."""


@dataclass
class Taken:
    """What an export took: seconds, and bytes at most."""

    seconds: float = 0.0
    private: int = 0
    resident: int = 0
    size: int = 0


def run() -> list[Row]:
    """Ours and the plain command in turn, then the other presets, then Stop at four moments."""
    folder = _source()
    rows, ours = [], {}
    plain = _measured(lambda out: _plain(folder, out))
    for name in [COMPARED, *(name for name in EXPORT_PRESETS if name != COMPARED)]:
        ours[name] = _measured(lambda out, name=name: export_openvino(folder, out, weights=name))
        rows += _rows(name, ours[name], estimate_export(folder, OUT / "none", weights=name))
    rows += [
        Row(f"plain optimum-cli, {COMPARED}: time", plain.seconds, "s"),
        Row(f"plain optimum-cli, {COMPARED}: private memory at most", plain.private / 1e9, "GB"),
        Row(f"plain optimum-cli, {COMPARED}: resident memory at most", plain.resident / 1e9, "GB"),
        Row("time, ours over plain", ours[COMPARED].seconds / plain.seconds, "", at_most=1.05),
        Row("private memory, ours over plain", ours[COMPARED].private / plain.private, "", at_most=1.05),
        Row("resident memory, ours over plain", ours[COMPARED].resident / plain.resident, "", at_most=1.05),
    ]
    for stage in ("starting", "loading", "converting", "compressing"):
        rows.append(Row(f"Cancel while {stage}", _cancelled(folder, stage), "s", at_most=0.5))
    return rows


def _rows(name: str, taken: Taken, expected) -> list[Row]:
    return [
        Row(f"{name}: time", taken.seconds, "s"),
        Row(f"{name}: private memory at most", taken.private / 1e9, "GB"),
        Row(f"{name}: resident memory at most", taken.resident / 1e9, "GB"),
        Row(
            f"{name}: private memory, measured over estimated",
            taken.private / expected.memory,
            "",
            at_most=1.0,
        ),
        Row(f"{name}: resident memory, measured over estimated", taken.resident / expected.resident, ""),
        Row(f"{name}: size", taken.size / 1e9, "GB"),
        Row(
            f"{name}: size, measured over estimated",
            taken.size / expected.size,
            "",
            at_least=0.98,
            at_most=1.02,
        ),
    ]


def _source() -> Path:
    layers = os.environ.get(LAYERS)
    if not layers:
        return source()
    folder = OUT / f"export-source-{layers}"
    if not folder.is_dir():
        build(folder, Shape(layers=int(layers)))
    return folder


def _measured(export) -> Taken:
    """Export into a folder that is deleted afterwards, and watch all children of this process meanwhile."""
    taken, over = Taken(), threading.Event()
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=OUT) as home:
        out = Path(home) / "exported"
        watcher = threading.Thread(target=_watch, args=(taken, over))
        watcher.start()
        begun = time.perf_counter()
        try:
            export(out)
            taken.seconds = time.perf_counter() - begun
        finally:
            over.set()
            watcher.join()
        taken.size = sum(file.stat().st_size for file in out.iterdir())
    return taken


def _watch(taken: Taken, over: threading.Event) -> None:
    me = psutil.Process()
    while not over.wait(0.1):
        private = resident = 0
        for child in me.children():
            private += memory_of(child)
            try:
                family = [child, *child.children(recursive=True)]
                resident += sum(member.memory_info().rss for member in family)
            except psutil.Error:
                continue
        taken.private, taken.resident = max(taken.private, private), max(taken.resident, resident)


def _plain(folder: Path, out: Path) -> None:
    """The command of the preset, as a terminal runs it."""
    program = f"from {PROGRAM} import main; main()"
    arguments = EXPORT_PRESETS[COMPARED].arguments(folder, out)
    room = out.parent / "between"
    room.mkdir()
    settings = {**os.environ, **environment(room)}
    subprocess.run([sys.executable, "-c", program, *arguments], env=settings, check=True, capture_output=True)
    shutil.rmtree(room)


def _cancelled(folder: Path, stage: str) -> float:
    """Seconds from Cancel, given in that stage, until the export has ended and cleaned up."""
    cancel, asked = threading.Event(), []

    def on_progress(progress) -> None:
        if progress.stage == stage and not asked:
            asked.append(time.perf_counter())
            cancel.set()

    with tempfile.TemporaryDirectory(dir=OUT) as home:
        try:
            export_openvino(folder, Path(home) / "exported", progress=on_progress, cancel=cancel)
        except ExportError:
            return time.perf_counter() - asked[0]
    raise AssertionError(f"the export ended before it could be cancelled while {stage}")

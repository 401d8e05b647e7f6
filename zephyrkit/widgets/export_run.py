"""An export on its way, for every panel that shows it.

A run belongs to the folder that it makes and not to the panel whose button began
it: a cell that is run again finds what it had begun. When no panel shows it any
more it is cancelled, and nothing is left behind.
"""

import contextvars
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..convert.to_openvino import STAGES, ExportProgress, export_openvino
from .download_view import duration, explain, size

FRAME_S = 0.1
"""Seconds between two pictures of the same stage, at least."""
LINES = 200
"""Lines of the log that a panel keeps."""

_WORDS = {
    "starting": "starting: PyTorch, OpenVINO and NNCF are being loaded",
    "loading": "loading the weights",
    "converting": "converting: PyTorch's operations become OpenVINO's",
    "compressing": "compressing the weights, one matrix after the other",
    "saving": "saving",
    "done": "done",
}

_SITE = re.compile(r"\S*[/\\]site-packages[/\\]")
"""Where packages are on this machine: a stored notebook need not tell."""


class Run:
    """One export, in a thread of its own. ``changed`` is called in that thread."""

    def __init__(self, source: Path, target: Path, preset: str):
        self.source, self.target, self.preset = source, target, preset
        self.progress: ExportProgress | None = None
        self.lines: deque[str] = deque(maxlen=LINES)
        self.folder: Path | None = None
        self.error: BaseException | None = None
        self.busy = True
        self.watchers: list[Callable[[Run], None]] = []
        self._cancel = threading.Event()
        self._over = threading.Event()
        self._shown_s = 0.0
        # The context carries the cell that the output belongs to; a bare thread has lost it.
        run = contextvars.copy_context().run
        self._thread = threading.Thread(
            target=run, args=(self._work,), name=f"zephyrkit export {target.name}", daemon=True
        )

    @property
    def cancelling(self) -> bool:
        """Whether it was told to stop."""
        return self._cancel.is_set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """End it; nothing is left behind."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended and everybody has been told; whether it has."""
        return self._over.wait(timeout)

    def leave(self, watcher: Callable[["Run"], None]) -> None:
        """Stop telling ``watcher``. The last one to leave cancels the export."""
        if watcher in self.watchers:
            self.watchers.remove(watcher)
        if not self.watchers:
            self.cancel()

    def _work(self) -> None:
        try:
            self.folder = export_openvino(
                self.source, self.target, weights=self.preset, progress=self._on_progress, cancel=self._cancel
            )
        except Exception as error:
            self.error = error
        finally:
            self.busy = False
            try:
                self._tell()
            finally:
                self._over.set()

    def _on_progress(self, progress: ExportProgress) -> None:
        same_stage = self.progress is not None and self.progress.stage == progress.stage
        self.progress = progress
        if progress.line:
            self.lines.append(_SITE.sub("", progress.line))
        if not same_stage or time.monotonic() - self._shown_s >= FRAME_S:
            self._shown_s = time.monotonic()
            self._tell()

    def _tell(self) -> None:
        for watcher in list(self.watchers):
            watcher(self)


_lock = threading.Lock()
_runs: dict[Path, Run] = {}


def begin(source: Path, target: Path, preset: str, watcher: Callable[[Run], None]) -> Run:
    """Start an export, or join the one that makes this very folder."""
    with _lock:
        known = running(target)
        made = known or Run(source, target, preset)
        made.watchers.append(watcher)
        if known is None:
            _runs[target] = made
            made.start()
    return made


def running(target: Path) -> Run | None:
    """The export that makes this folder now."""
    known = _runs.get(target)
    return known if known is not None and known.busy else None


def describe(run: Run | None) -> dict[str, Any]:
    """A run in words and numbers, as a panel shows it; None is what it says before the first one."""
    if run is None:
        return {"busy": False, "title": "Nothing was exported yet.", "step": 0, "steps": len(STAGES) - 1}
    progress = run.progress
    shown: dict[str, Any] = {
        "busy": run.busy,
        "step": STAGES.index(progress.stage) if progress else 0,
        "steps": len(STAGES) - 1,
        "figures": figures(progress) if progress else "",
        "error": "",
    }
    if run.busy:
        words = "stopping" if run.cancelling else _WORDS[progress.stage if progress else STAGES[0]]
        return shown | {"title": f"{run.preset}: {words}"}
    if run.folder is not None:
        return shown | {"title": f"{run.preset}: exported to {run.folder.name}, {size(bytes_of(run.folder))}"}
    if run.cancelling:
        return shown | {"title": f"{run.preset}: stopped. Nothing was left behind."}
    return shown | {"title": f"{run.preset}: failed", "error": explain(run.error)}


def figures(progress: ExportProgress) -> str:
    """How it stands, in one line: time and memory."""
    parts = [duration(progress.seconds)]
    if progress.stage != STAGES[-1]:
        parts.append(f"{size(progress.memory)} of memory now")
    parts.append(f"{size(progress.peak)} at most; {size(progress.estimate.memory)} was estimated")
    return " · ".join(parts)


def bytes_of(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())

"""The export panel: which preset, will it fit, and the export to OpenVINO.

What the table says comes from `export_rows`, what the strip below it says from
`export_run`. The front end (``export.js``) draws both and says what was chosen
and clicked. The export runs in a process of its own, and a thread looks after it,
so that the notebook stays usable and Cancel is heard.
"""

import json
import os
import threading
import uuid
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ..catalogue import PRACTICE_HF, WEIGHTS
from ..convert.export_recipe import EXPORT_PRESETS
from ..convert.export_source import read_source
from ..convert.to_openvino import installed
from ..downloader import cache_state
from ..errors import ExportError, NotInCache
from .download_view import explain
from .export_rows import Row, Table, look
from .export_run import Run, begin, describe, running
from .kernel import CancelButton, hear_stop

_HERE = Path(__file__).parent
_SCRIPTS = ("export", "chat_kernel", "chat_small")
_STYLES = ("look", "picker", "export")
_ACTIONS = ("export", "cancel", "refresh")
"""What the window may ask for: the methods of these names."""


def _as_safe_json(value: Any, _widget: object) -> str:
    """JSON without a single "<", so that it can stand in a page's script element (see chat.py)."""
    return json.dumps(value).replace("<", "\\u003c")


class ExportPanel(anywidget.AnyWidget):
    """Export a model to OpenVINO: a preset to choose, what it takes, and the export with its log.

    ``source`` is "practice", "weights" (StableLM Zephyr 3B's, once they are
    downloaded) or a model's folder. ``folder`` is where the export goes; None
    makes a folder beside the notebook, named after the model and the preset.

    `export`, `cancel` and `refresh` do what the buttons do; `export` returns at
    once, and `wait` waits for the end. The chosen preset is `choice`, and `folder`
    is what was exported.

    Raises ModelFileError when the source is no model's folder, NotInCache when the
    weights aren't on this machine, ValueError for an unknown preset.
    """

    _esm = "\n".join((_HERE / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    _css = "\n".join((_HERE / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    _address = traitlets.Unicode().tag(sync=True)
    choice = traitlets.Unicode().tag(sync=True)
    state = traitlets.Dict().tag(sync=True, to_json=_as_safe_json)
    live = traitlets.Dict().tag(sync=True, to_json=_as_safe_json)
    lines = traitlets.List().tag(sync=True, to_json=_as_safe_json)

    def __init__(
        self,
        source: str | os.PathLike = "practice",
        folder: str | os.PathLike | None = None,
        *,
        preset: str = "int4 fast",
    ):
        self._lock = threading.RLock()
        self._closed = False
        self._run: Run | None = None
        self.error: BaseException | None = None
        self._source = read_source(_folder_of(source))
        self._target = None if folder is None else Path(folder).expanduser().absolute()
        self._home = Path.cwd()
        self._rows: tuple[Row, ...] = ()
        super().__init__(_address=uuid.uuid4().hex, choice=_known(preset))
        self.refresh()
        self.on_msg(self._on_message)
        self._button = CancelButton(self)
        hear_stop(self._address, self._button)
        for row in self._rows:  # begun by this cell's earlier run
            if (earlier := running(row.target)) is not None:
                self.choice = earlier.preset
                self._run = begin(earlier.source, earlier.target, earlier.preset, self._on_run)
                self._on_run(self._run)
                break

    # -- what the buttons do -------------------------------------------------------

    def export(self) -> None:
        """Export with the chosen preset; it takes its time (`wait`).

        Raises ExportError when another export of this panel is running, or when the packages are missing.
        """
        if self.busy:
            raise ExportError(f"{self._run.preset} is being exported. Wait for it, or cancel it.")
        installed()
        self.error = None
        if self._run is not None:
            self._run.leave(self._on_run)
        row = self._row
        self._run = begin(row.source.folder, row.target, row.name, self._on_run)
        self._on_run(self._run)

    def cancel(self) -> None:
        """End the export; nothing is left behind."""
        if self.busy:
            self._run.cancel()
            self._on_run(self._run)

    def refresh(self) -> None:
        """Look again: how much memory and disk is free, and what is exported."""
        rows = look(self._source, self.target)
        with self._lock:
            self._rows = rows
            if not self._closed:
                self.state = {"title": self._title(), "rows": [row.shown() for row in rows]}
                self.live = describe(self._run)

    # -- from Python ---------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether an export is running."""
        return self._run is not None and self._run.busy

    @property
    def folder(self) -> Path | None:
        """The exported folder of the chosen preset; None when it isn't there."""
        row = self._row
        return row.target if row.made else None

    def target(self, preset: str | None = None) -> Path:
        """Where the export with a preset goes; None: the chosen one."""
        if self._target is not None:
            return self._target
        model = self._source.name.partition("@")[0].rpartition("/")[2]
        return self._home / f"{model}-{(preset or self.choice).replace(' ', '-')}"

    def wait(self, timeout: float | None = None) -> Path | None:
        """Wait for the end of the export; its folder, or None when it failed or was stopped.

        What went wrong is in `error`, and in the window. Raises TimeoutError
        after ``timeout`` seconds. ■ during the wait cancels.
        """
        run = self._run
        if run is None:
            return self.folder
        try:
            if not run.wait(timeout):
                raise TimeoutError(f"Not exported within {timeout} s. Wait longer, or call cancel().")
        except KeyboardInterrupt:
            self.cancel()
            raise
        return run.folder

    def freeze(self) -> Table:
        """The table as it stands, to show where no kernel runs: on GitHub, in a web page."""
        return Table(self._rows, self.choice, self._title())

    def close(self) -> None:
        """Close the panel. When no other shows it, a running export is cancelled."""
        with self._lock:
            self._closed = True
        if self._run is not None:
            self._run.leave(self._on_run)
        super().close()

    def __repr__(self) -> str:
        return repr(self.freeze())

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict, dict] | None:
        bundle = super()._repr_mimebundle_(**options)
        if bundle is not None:
            bundle[0]["text/html"] = self.freeze()._repr_html_()
        return bundle

    # -- inside --------------------------------------------------------------------

    @property
    def _row(self) -> Row:
        return next(row for row in self._rows if row.name == self.choice)

    @traitlets.validate("choice")
    def _check_choice(self, proposal: dict[str, Any]) -> str:
        return _known(proposal["value"])

    def _title(self) -> str:
        return f"Export {self._source.name} to OpenVINO: {self._source.weights:,} weights."

    def _on_run(self, run: Run) -> None:
        """Show an export's begin, progress or end. Called in its thread."""
        with self._lock:
            if self._closed:
                return
            self.live = describe(run)
            self.lines = list(run.lines)
            if run.busy:
                return
            self.error = run.error
        self.refresh()

    def _on_message(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        action = message.get("do")
        self.send({"kind": "heard", "do": action})
        try:
            if action not in _ACTIONS:
                raise ValueError(f"The window asked for {action!r}, which it can't. Reload the page.")
            getattr(self, action)()
        except Exception as error:
            self.error = error
            self.live = {**self.live, "error": explain(error)}


def _known(preset: str) -> str:
    if preset not in EXPORT_PRESETS:
        raise ValueError(f"There is no preset {preset!r}. Use one of {', '.join(EXPORT_PRESETS)}.")
    return preset


def _folder_of(source: str | os.PathLike) -> Path:
    if source == "practice":
        return PRACTICE_HF
    if source == WEIGHTS:
        path = cache_state(WEIGHTS).path
        if path is None:
            raise NotInCache(
                "The original weights are not on this machine yet. Fetch them first, 5.6 GB: "
                'zephyrkit.download("weights")'
            )
        return path
    return Path(source).expanduser()

"""From a word to a model."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from .catalogue import PRACTICE, PRACTICE_OPENVINO, QUANTS
from .chat import ChatModel
from .errors import ModelFileError


def load(
    what: str | os.PathLike | None = None,
    *,
    progress: Callable | None = None,
    cancel: threading.Event | None = None,
    **options,
) -> ChatModel:
    """Load a model: ``"practice"``, a file of the catalogue like ``"Q4_K_M"``, or the path of a GGUF file.

    ``"practice:openvino"``, or the path of an exported folder, loads with the other engine.
    A file of the catalogue is fetched first if it isn't on this machine;
    ``progress`` and ``cancel`` go to `zephyrkit.download`. None reads the environment
    variable ``ZEPHYRKIT_MODEL`` (default ``practice``), so that one setting switches
    every notebook. Options go to the backend (`zephyrkit.LlamaCpp` and
    `zephyrkit.OpenVino`: ``context``, ``threads``, ``batch``).

    Raises ModelFileError when there is no such model, and what the download and the
    backend raise.
    """
    what = what if what is not None else os.environ.get("ZEPHYRKIT_MODEL") or "practice"
    from .backends.llamacpp import LlamaCpp

    if what == "practice":
        return LlamaCpp(PRACTICE, **options)
    if what in [quant.name for quant in QUANTS]:
        from .downloader import download

        return LlamaCpp(download(what, progress=progress, cancel=cancel), **options)
    path = PRACTICE_OPENVINO if what == "practice:openvino" else Path(what).expanduser()
    if path == PRACTICE_OPENVINO or path.is_dir():
        from .backends.openvino import OpenVino

        return OpenVino(path, **options)
    if path.suffix == ".gguf" or path.is_file():
        return LlamaCpp(path, **options)
    raise ModelFileError(
        f'There is no model called {str(what)!r}. Use "practice", "practice:openvino", one of '
        f"{', '.join(quant.name for quant in QUANTS)}, or the path of a .gguf file or of an exported folder "
        "that is on this machine."
    )

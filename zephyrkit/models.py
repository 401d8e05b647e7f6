"""From a word to a model."""

import os
from pathlib import Path

from .catalogue import PRACTICE, PRACTICE_OPENVINO
from .chat import ChatModel
from .errors import ModelFileError


def load(what: str | os.PathLike | None = None, **options) -> ChatModel:
    """Load a model: ``"practice"``, or the path of a GGUF file.

    ``"practice:openvino"``, or the path of a folder, loads with the other engine.

    None reads the environment variable ``ZEPHYRKIT_MODEL`` (default ``practice``),
    so that one setting switches every notebook. Options go to the backend
    (`zephyrkit.LlamaCpp` and `zephyrkit.OpenVino`: ``context``, ``threads``, ``batch``).

    Raises ModelFileError when there is no such model, and what the backend raises.
    """
    what = what if what is not None else os.environ.get("ZEPHYRKIT_MODEL") or "practice"
    from .backends.llamacpp import LlamaCpp

    if what == "practice":
        return LlamaCpp(PRACTICE, **options)
    path = PRACTICE_OPENVINO if what == "practice:openvino" else Path(what).expanduser()
    if path == PRACTICE_OPENVINO or path.is_dir():
        from .backends.openvino import OpenVino

        return OpenVino(path, **options)
    if path.suffix == ".gguf" or path.is_file():
        return LlamaCpp(path, **options)
    raise ModelFileError(
        f'There is no model called {str(what)!r}. Use "practice", or the path of a .gguf file that is '
        "on this machine."
    )

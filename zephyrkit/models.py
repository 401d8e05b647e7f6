"""From a word to a model."""

import os
from pathlib import Path

from .catalogue import PRACTICE
from .chat import ChatModel
from .errors import ModelFileError


def load(what: str | os.PathLike | None = None, **options) -> ChatModel:
    """Load a model: ``"practice"``, or the path of a GGUF file.

    None reads the environment variable ``ZEPHYRKIT_MODEL`` (default ``practice``),
    so that one setting switches every notebook. Options go to the backend
    (`zephyrkit.LlamaCpp`: ``context``, ``threads``, ``batch``).

    Raises ModelFileError when there is no such model, and what the backend raises.
    """
    what = what if what is not None else os.environ.get("ZEPHYRKIT_MODEL") or "practice"
    from .backends.llamacpp import LlamaCpp

    if what == "practice":
        return LlamaCpp(PRACTICE, **options)
    path = Path(what).expanduser()
    if path.suffix == ".gguf" or path.is_file():
        return LlamaCpp(path, **options)
    raise ModelFileError(
        f'There is no model called {str(what)!r}. Use "practice", or the path of a .gguf file that is '
        "on this machine."
    )

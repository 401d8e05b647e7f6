"""The tensors of StableLM Zephyr 3B's Q4_K_M file, recorded, so that lesson 05 needs no 1.71 GB to compute with.

Names and shapes are the model's. The types are what llama.cpp's quantiser gives
to a model of 32 layers; a test asks it again. The header's size is that of a
file with the model's real vocabulary, 50,277 entries.
"""

import json
from math import prod
from pathlib import Path
from typing import NamedTuple


class RecordedTensor(NamedTuple):
    """One tensor: its name, its type, and its shape with the row length first, as GGUF writes it."""

    name: str
    type: str
    shape: tuple[int, ...]

    @property
    def weights(self) -> int:
        return prod(self.shape)


_recorded = json.loads((Path(__file__).parent / "lessons" / "q4_k_m.json").read_text(encoding="utf-8"))

Q4_K_M = tuple(RecordedTensor(name, kind, tuple(shape)) for name, kind, shape in _recorded["tensors"])
"""Every tensor, in the file's order."""
HEADER_BYTES: int = _recorded["header_bytes"]
"""What stands before the first tensor, padding included."""

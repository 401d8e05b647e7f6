"""What the OpenVINO benches measure: the models, and how much of everything.

The weights are random: good for measuring, and for nothing else. The model is
exported once to int4 (the preset "int4 fast"), which takes minutes and much memory.
``ZEPHYRKIT_BENCH_MODEL=practice`` takes the practice model instead, for trying the
benches out; nothing is promised or recorded for it.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from zephyrkit import PRACTICE, PRACTICE_OPENVINO, export_openvino

from .export_source import source
from .stand_in import place, stand_in

MODEL = "ZEPHYRKIT_BENCH_MODEL"
WEIGHTS = "int4 fast"


@dataclass(frozen=True)
class Plan:
    """The two forms of one shape, and how often and how long each is used."""

    name: str
    folder: Path
    gguf: Path
    promised: bool
    tokens: int = 48
    rounds: int = 7
    side_rounds: int = 4
    contexts: tuple[int, ...] = (128, 512)
    conversations: int = 3
    reply_tokens: int = 16
    prompt_tokens: int = 1000
    stops: int = 5

    def promise(self, **what: float) -> dict[str, float]:
        """A row's promise; none where nothing is promised."""
        return what if self.promised else {}


def plan() -> Plan:
    """The full shape, made on the first call; or the practice model, where the environment says so."""
    if os.environ.get(MODEL) == "practice":
        return Plan(
            "practice model", PRACTICE_OPENVINO, PRACTICE, False, tokens=40, rounds=2, side_rounds=2, stops=3
        )
    folder = place("openvino-int4")
    if not folder.is_dir():
        export_openvino(source(), folder, weights=WEIGHTS)
    return Plan("full shape", folder, stand_in(), True)

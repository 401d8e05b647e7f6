"""What lesson 06 brings along: the held-out text, and recorded sizes of the full shape.

`python -m training.held_out` makes the text, `python -m bench quantise` the sizes.
"""

import json
from pathlib import Path

_FOLDER = Path(__file__).parent / "lessons"

HELD_OUT: tuple[list[dict], ...] = tuple(
    json.loads((_FOLDER / "held_out.json").read_text(encoding="utf-8"))["conversations"]
)
"""Conversations that the practice model never saw, each ending with the reply to measure."""

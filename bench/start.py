"""Starting: the import, and the way from a new process to the first token of the practice model."""

import json
import subprocess
import sys

from .row import Row, row

ROUNDS = 11

_IMPORT = """
import time
start = time.perf_counter()
import zephyrkit
print(time.perf_counter() - start)
"""

# The processes take their own time from the system's clock of when they were started.
_END = """
import json, psutil, time
process = psutil.Process()
print(json.dumps([time.time() - STARTED, process.memory_info().rss / 1e6]))
"""
_KIT = """
import zephyrkit as zk
model = zk.LlamaCpp(zk.PRACTICE)
stream = model.stream([{"role": "user", "content": "What is GGUF?"}])
next(piece for piece in stream if piece.text)
"""
_BARE = """
from llama_cpp import Llama
model = Llama(PATH, n_ctx=2048, verbose=False)
prompt = "<|user|>\\nWhat is GGUF?<|endoftext|>\\n<|assistant|>\\n"
next(iter(model.create_completion(prompt, stream=True)))
"""


def run() -> list[Row]:
    """Rounds take turns, so that what else the machine does hits all alike."""
    from zephyrkit import PRACTICE

    programs = {"kit": _KIT, "bare": f"PATH = {str(PRACTICE)!r}\n" + _BARE}
    imports, figures = [], {name: [] for name in programs}
    for _ in range(ROUNDS):
        imports.append(float(_output(_IMPORT)))
        for name, program in programs.items():
            figures[name].append(json.loads(_output(program + _END, clock=True)))
    seconds = {name: [second for second, _ in rounds] for name, rounds in figures.items()}
    megabytes = {name: [megabyte for _, megabyte in rounds] for name, rounds in figures.items()}
    return [
        row("import zephyrkit, over a bare start of Python", "s", imports, at_most=0.1),
        row("process start to the practice model's first token", "s", seconds["kit"], at_most=0.4),
        row("the same by a bare llama-cpp-python script", "s", seconds["bare"]),
        row("memory resident at the first token", "MB", megabytes["kit"], at_most=100),
        row("the same by a bare llama-cpp-python script", "MB", megabytes["bare"]),
    ]


def _output(program: str, *, clock: bool = False) -> str:
    import time

    start = f"STARTED = {time.time()!r}\n" if clock else ""
    return subprocess.run(
        [sys.executable, "-c", start + program], capture_output=True, text=True, check=True
    ).stdout

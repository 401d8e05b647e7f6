"""Reading a prompt at full shape in steps of several sizes: processor time for each token."""

import time

from zephyrkit import LlamaCpp

from .row import Row, row
from .stand_in import stand_in

SIZES = (8, 16, 64, 256)
TOKENS = 256
ROUNDS = 2


def run() -> list[Row]:
    """One core and processor time, so that other programs matter little."""
    costs: dict[int, list[float]] = {size: [] for size in SIZES}
    with LlamaCpp(stand_in(), context=512, threads=1, batch=max(SIZES)) as model:
        ids = (model.tokenize("The quick brown fox jumps over the lazy dog. ") * TOKENS)[:TOKENS]
        handle = model._handle
        for _ in range(ROUNDS):
            for size in SIZES:
                handle.keep(0)
                start = time.process_time()
                for at in range(0, TOKENS, size):
                    handle.decode_watched(ids[at : at + size], lambda: False)
                costs[size].append((time.process_time() - start) / TOKENS)
    return [row(f"{size} tokens together", "s/token", costs[size]) for size in SIZES]

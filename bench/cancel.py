"""Stop at full shape: from setting `cancel` in another thread to the end of the stream."""

import threading
import time

from zephyrkit import LlamaCpp, Sampling

from .row import Row, row
from .stand_in import stand_in

PROMPT_TOKENS = 1500
ROUNDS = 9


def run() -> list[Row]:
    with LlamaCpp(stand_in()) as model:
        word = " and so on"
        content = word * (PROMPT_TOKENS // len(model.tokenize(word)))
        reading = [
            stop(model, [{"role": "user", "content": f"{n}{content}"}], after=1 + 0.37 * n)
            for n in range(ROUNDS)
        ]
        writing = [stop(model, [{"role": "user", "content": "x"}], after=3 + 0.37 * n) for n in range(ROUNDS)]
    return [
        row(f"cancel while {PROMPT_TOKENS:,} prompt tokens are read", "s", reading, at_most=0.3),
        row("the slowest of these", "s", [max(reading)], at_most=0.3),
        row("cancel while a reply is written", "s", writing, at_most=0.3),
    ]


def stop(model: LlamaCpp, messages: list, *, after: float) -> float:
    """Seconds from the call for a stop, so many seconds after the start, to the stream's end."""
    cancel = threading.Event()
    called = []

    def call() -> None:
        called.append(time.perf_counter())
        cancel.set()

    timer = threading.Timer(after, call)
    timer.start()
    for _ in model.stream(messages, Sampling(max_tokens=500), cancel):
        pass
    ended = time.perf_counter()
    timer.join()
    assert called[0] < ended, "the stream ended before it was stopped"
    return ended - called[0]

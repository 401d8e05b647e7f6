"""The time to the first token over ten turns: with the KV cache kept, and with the history read anew."""

from pathlib import Path

from zephyrkit import PRACTICE, LlamaCpp, Sampling

from .row import Row, row
from .stand_in import stand_in

TURNS = 10
QUESTION = {"role": "user", "content": "Tell me one more short story about the sea, please."}
SAMPLING = Sampling(temperature=1.0, seed=1, max_tokens=16)


def run() -> list[Row]:
    return [*measure("practice model", PRACTICE, rounds=31), *measure("full shape", stand_in(), rounds=3)]


def measure(name: str, path: Path, *, rounds: int) -> list[Row]:
    """Every turn adds the same text and at most 16 tokens of reply."""
    turns: list[list[float]] = [[] for _ in range(TURNS)]
    anew = []
    with LlamaCpp(path) as model:
        answer(model, [QUESTION])
        for _ in range(rounds):
            model.next_token("\n", 1)  # another prompt: nothing of the conversation is left in the cache
            messages = []
            for turn in range(TURNS):
                messages.append(QUESTION)
                reply = answer(model, messages)
                turns[turn].append(reply.stats.first_token_s)
                messages.append({"role": "assistant", "content": reply.text})
            model.next_token("\n", 1)
            anew.append(answer(model, messages[:-1]).stats.first_token_s)
    ratios = [tenth / second for second, tenth in zip(turns[1], turns[-1], strict=True)]
    return [
        row(f"{name}: first token at turn 2", "s", turns[1]),
        row(f"{name}: first token at turn {TURNS}", "s", turns[-1]),
        row(f"{name}: first token at turn {TURNS}, history read anew", "s", anew),
        row(f"{name}: turn {TURNS} / turn 2", "", ratios, at_most=1.3),
        row(
            f"{name}: turn {TURNS} / history read anew",
            "",
            [t / a for t, a in zip(turns[-1], anew, strict=True)],
        ),
    ]


def answer(model: LlamaCpp, messages: list):
    stream = model.stream(messages, SAMPLING)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            return end.value

"""Engines that take turns at reading and writing the same token ids, so that none gets the machine's better minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Protocol

import numpy


class Engine(Protocol):
    """What takes turns."""

    def read(self, ids: Sequence[int]) -> float:
        """Read a prompt from its beginning; seconds a token."""

    def write(self, tokens: int) -> float:
        """Compute so many tokens one by one, behind what is there; seconds a token."""

    def close(self) -> None: ...


class KitEngine:
    """One of the kit's models, driven token by token through its handle: nothing but computing is timed."""

    def __init__(self, model):
        self._model, self._handle = model, model._handle

    def read(self, ids: Sequence[int]) -> float:
        begun, size = perf_counter(), self._model.batch
        self._handle.keep(0)
        for at in range(0, len(ids), size):
            self._handle.decode_watched(list(ids[at : at + size]), lambda: False)
        return (perf_counter() - begun) / len(ids)

    def write(self, tokens: int) -> float:
        begun = perf_counter()
        for token in range(1, tokens + 1):
            self._handle.decode_watched([token], lambda: False)
        return (perf_counter() - begun) / tokens

    def close(self) -> None:
        self._model.close()


class BareLlama:
    """llama-cpp-python as it comes, with settings of our choice."""

    def __init__(self, path: Path, threads: int, flash: bool):
        from llama_cpp import Llama

        self._llama = Llama(
            str(path), n_ctx=1024, n_threads=threads, n_threads_batch=threads, flash_attn=flash, verbose=False
        )

    def __enter__(self) -> "BareLlama":
        return self

    def __exit__(self, *_failure) -> None:
        self.close()

    def read(self, ids: Sequence[int]) -> float:
        self._llama.reset()
        begun = perf_counter()
        self._llama.eval(list(ids))
        return (perf_counter() - begun) / len(ids)

    def write(self, tokens: int) -> float:
        begun = perf_counter()
        for token in range(1, tokens + 1):
            self._llama.eval([token])
        return (perf_counter() - begun) / tokens

    def close(self) -> None:
        self._llama.close()


@dataclass
class Times:
    """Seconds a token in every round: for reading the longest context, and for writing after each."""

    reading: list[float] = field(default_factory=list)
    writing: dict[int, list[float]] = field(default_factory=dict)


def rounds_in_turn(
    engines: Mapping[str, Engine], contexts: Sequence[int], rounds: int, tokens: int
) -> dict[str, Times]:
    """Some rounds of every engine, every other one in the opposite order. A short one comes first and doesn't count."""
    random = numpy.random.default_rng(0)
    found = {name: Times(writing={context: [] for context in contexts}) for name in engines}
    for engine in engines.values():
        engine.read(range(1, 33))
        engine.write(2)
    for number in range(rounds):
        ids = random.integers(1, 1000, max(contexts)).tolist()
        for name in list(engines)[:: 1 if number % 2 else -1]:
            for context in contexts:
                read = engines[name].read(ids[:context])
                found[name].writing[context].append(engines[name].write(tokens))
            found[name].reading.append(read)
    return found

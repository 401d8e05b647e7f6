"""`LlamaCpp.stream` against a bare loop over llama.cpp's C functions, in the same context, token for token."""

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path

from zephyrkit import PRACTICE, LlamaCpp, Sampling
from zephyrkit.backends.llama_bindings import bindings
from zephyrkit.backends.sampler import SamplerChain

from .row import Row, row
from .stand_in import stand_in

MESSAGES = [{"role": "user", "content": "Tell me a story."}]


def run() -> list[Row]:
    return [
        *compare("practice model", PRACTICE, tokens=150, rounds=15, at_least=0.85),
        *compare("full shape", stand_in(), tokens=32, rounds=7, at_least=0.97),
    ]


def compare(name: str, path: Path, *, tokens: int, rounds: int, at_least: float) -> list[Row]:
    """Tokens a second of both, and the ratio of each pair of rounds; that in processor time too."""
    kit, bare = [], []
    with LlamaCpp(path, context=1024) as model:
        for seed in range(rounds + 1):
            order = (stream_speed, bare_speed) if seed % 2 else (bare_speed, stream_speed)
            done = {measure: measure(model, seed, tokens) for measure in order}
            if not seed:
                continue  # the first round pays for what is loaded late
            kit.append(done[stream_speed])
            bare.append(done[bare_speed])
            # Half a character at the end is not shown, so the stream may give a few ids fewer.
            assert kit[-1].ids == bare[-1].ids[: len(kit[-1].ids)], "both must write the same tokens"
    pairs = list(zip(kit, bare, strict=True))
    return [
        row(f"{name}: LlamaCpp.stream", "tokens/s", [1 / each.seconds for each in kit]),
        row(f"{name}: a bare loop", "tokens/s", [1 / each.seconds for each in bare]),
        row(f"{name}: stream / bare loop", "", [b.seconds / k.seconds for k, b in pairs], at_least=at_least),
        row(f"{name}: the same in processor time", "", [b.processor / k.processor for k, b in pairs]),
    ]


@dataclass(frozen=True)
class Written:
    """A reply's ids, and the time for each token after the first: by the clock, and on the processor."""

    ids: list[int]
    seconds: float
    processor: float


class Watch:
    """Times a reply from its first tokens to its last."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._marks: list[tuple[int, float, float]] = []

    def tokens(self, *ids: int) -> None:
        self.ids += ids
        self._marks.append((len(self.ids), time.perf_counter(), time.process_time()))

    def written(self) -> Written:
        if len(self._marks) < 2:
            raise RuntimeError("The reply was too short to be timed. Ask for more tokens, or another seed.")
        first, last = self._marks[0], self._marks[-1]
        tokens, seconds, processor = (b - a for a, b in zip(first, last, strict=True))
        return Written(self.ids, seconds / tokens, processor / tokens)


def sampling(seed: int, tokens: int) -> Sampling:
    return Sampling(temperature=1.0, seed=seed, max_tokens=tokens)


def stream_speed(model: LlamaCpp, seed: int, tokens: int) -> Written:
    watch = Watch()
    for piece in model.stream(MESSAGES, sampling(seed, tokens)):
        if piece.token_ids:
            watch.tokens(*piece.token_ids)
    return watch.written()


def bare_speed(model: LlamaCpp, seed: int, tokens: int) -> Written:
    """The same reply by a loop that does nothing but call llama.cpp: no locks, no text, no stops."""
    c, handle = bindings(), model._handle
    prompt = model.prompt(MESSAGES).token_ids
    model.next_token(prompt, 1)
    chain = SamplerChain(sampling(seed, tokens), seed, ())
    context, vocabulary, address = handle._context, handle._vocabulary, chain.address
    token = (c.llama_token * 1)()
    batch, piece = c.llama_batch_get_one(token, 1), ctypes.create_string_buffer(64)
    watch = Watch()
    for left in range(tokens, 0, -1):
        token[0] = c.llama_sampler_sample(address, context, -1)
        if c.llama_vocab_is_eog(vocabulary, token[0]):
            break
        c.llama_token_to_piece(vocabulary, token[0], piece, 64, 0, False)
        watch.tokens(token[0])
        if left > 1:
            c.llama_decode(context, batch)
    handle.keep(len(prompt))
    return watch.written()

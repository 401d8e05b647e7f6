"""`LlamaCpp.stream` against a bare loop over llama.cpp's C functions, in the same context, token for token."""

import ctypes
import time
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
    """Tokens a second of both, and the ratio of each pair of rounds."""
    kit, bare, ratios = [], [], []
    with LlamaCpp(path, context=1024) as model:
        stream_speed(model, 0, 4), bare_speed(model, 0, 4)  # what is loaded late is paid for here
        for seed in range(rounds):
            order = (stream_speed, bare_speed) if seed % 2 else (bare_speed, stream_speed)
            speeds = {measure: measure(model, seed, tokens) for measure in order}
            (kit_ids, kit_speed), (bare_ids, bare_figure) = speeds[stream_speed], speeds[bare_speed]
            assert kit_ids[: len(bare_ids)] == bare_ids[: len(kit_ids)], "both must write the same tokens"
            kit.append(kit_speed)
            bare.append(bare_figure)
            ratios.append(kit_speed / bare_figure)
    return [
        row(f"{name}: LlamaCpp.stream", "tokens/s", kit),
        row(f"{name}: a bare loop", "tokens/s", bare),
        row(f"{name}: stream / bare loop", "", ratios, at_least=at_least),
    ]


def sampling(seed: int, tokens: int) -> Sampling:
    return Sampling(temperature=1.0, seed=seed, max_tokens=tokens)


def stream_speed(model: LlamaCpp, seed: int, tokens: int) -> tuple[list[int], float]:
    """The reply's ids, and its tokens a second after the first one."""
    ids: list[int] = []
    first = count = 0
    for piece in model.stream(MESSAGES, sampling(seed, tokens)):
        if piece.token_ids:
            ids += piece.token_ids
            if not first:
                first, count = time.perf_counter(), len(ids)
            last = time.perf_counter()
    return ids, (len(ids) - count) / (last - first)


def bare_speed(model: LlamaCpp, seed: int, tokens: int) -> tuple[list[int], float]:
    """The same reply by a loop that does nothing but call llama.cpp: no locks, no text, no stops."""
    c, handle = bindings(), model._handle
    prompt = model.prompt(MESSAGES).token_ids
    model.next_token(prompt, 1)
    chain = SamplerChain(sampling(seed, tokens), seed, ())
    context, vocabulary, address = handle._context, handle._vocabulary, chain.address
    token = (c.llama_token * 1)()
    batch, piece = c.llama_batch_get_one(token, 1), ctypes.create_string_buffer(64)
    ids: list[int] = []
    first = 0.0
    for _ in range(tokens):
        token[0] = c.llama_sampler_sample(address, context, -1)
        if c.llama_vocab_is_eog(vocabulary, token[0]):
            break
        c.llama_token_to_piece(vocabulary, token[0], piece, 64, 0, False)
        ids.append(token[0])
        last = time.perf_counter()
        first = first or last
        c.llama_decode(context, batch)
    handle.keep(len(prompt))
    return ids, (len(ids) - 1) / (last - first)

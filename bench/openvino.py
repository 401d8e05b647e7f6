"""`OpenVino` at full shape: against bare GenAI, by turn, stopped, and beside llama.cpp and optimum.

The weights are random: good for measuring, and for nothing else. The model is
exported once to int4 (the preset "int4 fast"), which takes minutes and 10 GB of
memory. The two engines' figures also go to lesson 10, which shows them.
``ZEPHYRKIT_BENCH_MODEL=practice`` takes the practice model instead, for trying the
bench out; nothing is promised or recorded for it.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter

import numpy

from zephyrkit import (
    PRACTICE,
    PRACTICE_OPENVINO,
    Conversation,
    LlamaCpp,
    OpenVino,
    Sampling,
    compare_speed,
    export_openvino,
    layer_types,
    memory_bandwidth,
    memory_of,
    read_header,
    speed_table,
    write_speeds,
)
from zephyrkit.backends.openvino import CACHE_PRECISION
from zephyrkit.speed.measuring import fresh_messages

from .cancel import stop
from .export_source import source
from .row import Row, row
from .speed import Watch, Written
from .stand_in import OUT, stand_in

MODEL = "ZEPHYRKIT_BENCH_MODEL"
WEIGHTS = "int4 fast"
RECORD = Path(__file__).parent.parent / "zephyrkit" / "course" / "lessons" / "full_shape_speed.json"


@dataclass(frozen=True)
class Plan:
    """What is measured: the models, and how much of everything."""

    name: str
    folder: Path
    gguf: Path
    promised: bool
    tokens: int = 48
    rounds: int = 7
    contexts: tuple[int, ...] = (128, 512)
    conversations: int = 3
    prompt_tokens: int = 1000
    stops: int = 9

    def promise(self, **what: float) -> dict[str, float]:
        """A row's promise; none where nothing is promised."""
        return what if self.promised else {}


def run() -> list[Row]:
    plan = _plan()
    rows: list[Row] = []
    for part in (against_genai, by_turn, stops, side_by_side, machine_limit):
        found = list(part(plan))
        print(*found, sep="\n  ", flush=True)
        rows += found
    return rows


def _plan() -> Plan:
    if os.environ.get(MODEL) == "practice":
        return Plan("practice model", PRACTICE_OPENVINO, PRACTICE, False, tokens=40, rounds=2, stops=3)
    folder = OUT / f"openvino-{WEIGHTS.replace(' ', '-')}"
    if not folder.is_dir():
        export_openvino(source(), folder, weights=WEIGHTS)
    return Plan("full shape", folder, stand_in(), True)


# -- against bare GenAI ------------------------------------------------------------


def against_genai(plan: Plan) -> Iterator[Row]:
    """The same greedy reply by `OpenVino.stream` and by GenAI's own loop, in turn, with the same settings."""
    ours, bare = [], []
    with OpenVino(plan.folder, context=1024) as model:
        genai = GenAi(plan.folder, model.threads)
        for number in range(plan.rounds + 1):
            messages = fresh_messages(model, number, plan.contexts[0])
            ids = model.prompt(messages).token_ids
            done: dict[str, Written] = {}
            order = ("ours", "bare") if number % 2 else ("bare", "ours")
            for which in order:
                if which == "ours":
                    done[which] = stream_speed(model, messages, plan.tokens)
                else:
                    done[which] = genai.speed(ids, plan.tokens)
            if number:  # the first round pays for what is loaded late
                ours.append(done["ours"])
                bare.append(done["bare"])
    pairs = list(zip(ours, bare, strict=True))
    name = plan.name
    yield row(f"{name}: OpenVino.stream", "tokens/s", [1 / one.seconds for one in ours])
    yield row(f"{name}: bare GenAI", "tokens/s", [1 / one.seconds for one in bare])
    ratios = [b.seconds / o.seconds for o, b in pairs]
    yield row(f"{name}: OpenVino.stream / bare GenAI", "", ratios, **plan.promise(at_least=0.97))
    yield row(f"{name}: the same in processor time", "", [b.processor / o.processor for o, b in pairs])


def stream_speed(model, messages: list, tokens: int) -> Written:
    """The time for each token after the first of a greedy reply, from the outside."""
    watch = Watch()
    for piece in model.stream(messages, Sampling(temperature=0, max_tokens=tokens)):
        if piece.token_ids:
            watch.tokens(*piece.token_ids)
    return watch.written()


class GenAi:
    """OpenVINO GenAI as it comes: token ids in, its own loop, token ids out."""

    def __init__(self, folder: Path, threads: int):
        import openvino_genai

        self._genai = openvino_genai
        self._pipeline = openvino_genai.LLMPipeline(
            str(folder), "CPU", INFERENCE_NUM_THREADS=threads, KV_CACHE_PRECISION=CACHE_PRECISION
        )

    def speed(self, ids, tokens: int) -> Written:
        """A greedy reply of exactly so many tokens."""
        import openvino

        genai, watch = self._genai, Watch()

        class Streamer(genai.StreamerBase):
            def write(self, token):
                watch.tokens(*(token if isinstance(token, list) else [token]))
                return genai.StreamingStatus.RUNNING

            def end(self):
                pass

        prompt = numpy.array([ids], numpy.int64)
        inputs = genai.TokenizedInputs(openvino.Tensor(prompt), openvino.Tensor(numpy.ones_like(prompt)))
        settings = genai.GenerationConfig(max_new_tokens=tokens, ignore_eos=True, do_sample=False)
        settings.apply_chat_template = False
        self._pipeline.generate(inputs, settings, Streamer())
        return watch.written()


# -- by turn -----------------------------------------------------------------------


def by_turn(plan: Plan) -> Iterator[Row]:
    """The time to the first token over ten turns: it must not grow with what was said before."""
    turns: list[list[float]] = [[] for _ in range(10)]
    with OpenVino(plan.folder) as model:
        for number in range(plan.conversations):
            chat = Conversation(model)
            for turn in range(10):
                reply = chat.send(
                    f"Question {number}{turn}: and then?", seed=turn, max_tokens=plan.tokens, temperature=1.0
                )
                turns[turn].append(reply.stats.first_token_s)
    for turn in (0, 1, 9):
        yield row(f"{plan.name}: first token, turn {turn + 1}", "s", turns[turn])
    ratios = [last / second for second, last in zip(turns[1], turns[9], strict=True)]
    yield row(f"{plan.name}: first token, turn 10 / turn 2", "", ratios, **plan.promise(at_most=1.3))


# -- stopped -----------------------------------------------------------------------


def stops(plan: Plan) -> Iterator[Row]:
    """Stop while a long prompt is read and while a reply is written; and what is left for the next reply."""
    with OpenVino(plan.folder) as model:
        begun = perf_counter()
        for _ in model.stream(fresh_messages(model, 0, plan.prompt_tokens), Sampling(max_tokens=1)):
            pass
        whole = perf_counter() - begun
        reading, kept = [], []
        for number in range(1, plan.stops + 1):
            messages = fresh_messages(model, number, plan.prompt_tokens)
            seconds = stop(model, messages, after=whole * (0.1 + 0.7 * number / plan.stops))
            if seconds is not None:
                reading.append(seconds)
                kept.append(model.prompt(messages).reused_tokens)
        tried = (
            stop(model, [{"role": "user", "content": f"x{number}"}], after=whole * 0.2 + 0.1 * number)
            for number in range(4 * plan.stops)
        )
        writing = list(islice((seconds for seconds in tried if seconds is not None), plan.stops))
    promise = plan.promise(at_most=0.5)
    yield row(
        f"{plan.name}: Stop while {plan.prompt_tokens:,} prompt tokens are read", "s", reading, **promise
    )
    yield row("the slowest of these", "s", [max(reading)], **promise)
    yield row("prompt tokens that were kept then, and need no second reading", "", kept)
    if writing:
        yield row(f"{plan.name}: Stop while a reply is written", "s", writing, **promise)
        yield row("the slowest of these", "s", [max(writing)], **promise)


# -- side by side ------------------------------------------------------------------


def side_by_side(plan: Plan) -> Iterator[Row]:
    """Writing after short and longer contexts: `LlamaCpp`, `OpenVino` and optimum, in turn."""
    with LlamaCpp(plan.gguf, context=1024) as llama, OpenVino(plan.folder, context=1024) as kit:
        optimum = Optimum(plan.folder, kit.threads)
        for context in plan.contexts:
            speeds: dict[str, list[float]] = {"LlamaCpp": [], "OpenVino": [], "optimum": []}
            for number in range(plan.rounds + 1):
                messages = fresh_messages(kit, number, context)
                ids = kit.prompt(messages).token_ids
                measure: dict[str, Callable[[], Written]] = {
                    "LlamaCpp": lambda messages=messages: stream_speed(llama, messages, plan.tokens),
                    "OpenVino": lambda messages=messages: stream_speed(kit, messages, plan.tokens),
                    "optimum": lambda ids=ids: optimum.speed(ids, plan.tokens),
                }
                for engine in list(measure)[:: 1 if number % 2 else -1]:
                    written = measure[engine]()
                    if number:
                        speeds[engine].append(1 / written.seconds)
            for engine, rounds in speeds.items():
                yield row(f"{plan.name}: {engine}, after {context} tokens", "tokens/s", rounds)


class Optimum:
    """optimum-intel's `OVModelForCausalLM`, whose `generate` is transformers'."""

    def __init__(self, folder: Path, threads: int):
        from optimum.intel import OVModelForCausalLM

        settings = {"INFERENCE_NUM_THREADS": str(threads), "KV_CACHE_PRECISION": CACHE_PRECISION}
        self._model = OVModelForCausalLM.from_pretrained(str(folder), device="CPU", ov_config=settings)

    def speed(self, ids, tokens: int) -> Written:
        """A greedy reply of exactly so many tokens."""
        import torch

        watch = Watch()

        class Streamer:
            """transformers calls ``put`` with the prompt first, then with each token."""

            prompt = True

            def put(self, values) -> None:
                if not self.prompt:
                    watch.tokens(*values.reshape(-1).tolist())
                self.prompt = False

            def end(self) -> None:
                pass

        prompt = torch.tensor([list(ids)])
        self._model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=tokens, min_new_tokens=tokens,
            do_sample=False, streamer=Streamer(), pad_token_id=0,
        )  # fmt: skip
        return watch.written()


# -- the machine's limit -----------------------------------------------------------


def machine_limit(plan: Plan) -> Iterator[Row]:
    """Both engines as lesson 10 measures them, beside what the memory allows; recorded at full shape."""
    bandwidth = memory_bandwidth()
    yield Row(
        "memory, read by numpy", bandwidth.median / 1e9, "GB/s", bandwidth.low / 1e9, bandwidth.high / 1e9
    )
    read = {"llama.cpp": bytes_of_gguf(plan.gguf), "OpenVINO": bytes_of_folder(plan.folder)}
    memory = {
        "llama.cpp": memory_of(LlamaCpp, plan.gguf).model,
        "OpenVINO": memory_of(OpenVino, plan.folder).model,
    }
    with LlamaCpp(plan.gguf) as llama, OpenVino(plan.folder) as kit:
        speeds = compare_speed(
            {"llama.cpp": llama, "OpenVINO": kit},
            sampling=Sampling(seed=1, max_tokens=plan.tokens, temperature=1.0),
            rounds=plan.rounds, bytes_a_token=read, bandwidth=bandwidth.median, memory=memory,
        )  # fmt: skip
    print(speed_table(speeds), flush=True)
    for speed in speeds:
        name = f"{plan.name}: {speed.name}"
        yield Row(f"{name}, the most that the memory allows", speed.limit, "tokens/s")
        yield Row(f"{name}, writing / the most", speed.writing.median / speed.limit, "")
        yield Row(f"{name}, memory", speed.memory / 1e6, "MB")
    if plan.promised:
        write_speeds(speeds, RECORD)


def bytes_of_gguf(path: Path) -> int:
    """What a token reads: every tensor but the table of embeddings, of which it reads a row."""
    return sum(tensor.size for tensor in read_header(path).tensors if tensor.name != "token_embd.weight")


def bytes_of_folder(folder: Path) -> int:
    """The same of an exported folder's matrices; the norms' vectors are too small to count."""
    return sum(matrix.size for matrix in layer_types(folder) if "embed" not in matrix.name)

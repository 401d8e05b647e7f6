"""`OpenVino` at full shape: against bare GenAI, beside llama.cpp and optimum, and against the memory's limit.

The two engines' speeds also go to lesson 10, which shows them.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from zephyrkit import (
    LlamaCpp,
    OpenVino,
    Sampling,
    compare_speed,
    layer_types,
    memory_bandwidth,
    memory_of,
    read_header,
    speed_table,
    write_speeds,
)
from zephyrkit.speed.measuring import fresh_messages

from .engines import Answer, GenAi, Optimum, kit_answer
from .plan import Plan, plan
from .recorded import LESSONS
from .row import Row, row

RECORD = LESSONS / "full_shape_speed.json"
QUIET_LOAD = 0.7
QUIET_S = 150
"""Seconds to wait at most until the load of what was measured before is out of the system's average."""


def run() -> list[Row]:
    measured, rows = plan(), []
    for part in (machine_limit, against_genai, side_by_side):
        found = list(part(measured))
        print(*found, sep="\n  ", flush=True)
        rows += found
    return rows


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
        wait_for_quiet()
        speeds = compare_speed(
            {"llama.cpp": llama, "OpenVINO": kit},
            sampling=Sampling(seed=1, max_tokens=plan.tokens, temperature=1.0),
            rounds=plan.rounds, bytes_a_token=read, bandwidth=bandwidth.median, memory=memory,
        )  # fmt: skip
    print(speed_table(speeds), flush=True)
    for speed in speeds:
        name = f"{plan.name}: {speed.name}"
        yield row(f"{name}, writing", "tokens/s", speed.writing.rounds)
        yield row(f"{name}, reading {speed.prompt_tokens} tokens", "tokens/s", speed.reading.rounds)
        yield Row(f"{name}, the most that the memory allows", speed.limit, "tokens/s")
        yield Row(f"{name}, writing / the most", speed.writing.median / speed.limit, "")
        yield Row(f"{name}, memory", speed.memory / 1e6, "MB")
    if plan.promised:
        write_speeds(speeds, RECORD)


def wait_for_quiet() -> None:
    """Wait until the system's load shows only what others do; without end of that, go on."""
    until = time.monotonic() + QUIET_S
    while hasattr(os, "getloadavg") and os.getloadavg()[0] > QUIET_LOAD and time.monotonic() < until:
        time.sleep(2)


def bytes_of_gguf(path: Path) -> int:
    """What a token reads: every tensor but the table of embeddings, of which it reads a row."""
    return sum(tensor.size for tensor in read_header(path).tensors if tensor.name != "token_embd.weight")


def bytes_of_folder(folder: Path) -> int:
    """The same of an exported folder's matrices; the norms' vectors are too small to count."""
    return sum(matrix.size for matrix in layer_types(folder) if "embed" not in matrix.name)


def against_genai(plan: Plan) -> Iterator[Row]:
    """The same greedy reply by `OpenVino.stream` and by GenAI's own loop, in turn, with the same settings."""
    answers: dict[str, list[Answer]] = {"OpenVino": [], "GenAI": []}
    with OpenVino(plan.folder, context=1024) as model:
        genai = GenAi(plan.folder, model.threads)
        for number in range(plan.rounds + 1):
            messages = fresh_messages(model, number, plan.contexts[-1])
            ids = model.prompt(messages).token_ids
            measure: dict[str, Callable[[], Answer]] = {
                "OpenVino": lambda messages=messages: kit_answer(model, messages, plan.tokens),
                "GenAI": lambda ids=ids: genai.answer(ids, plan.tokens),
            }
            for engine in list(measure)[:: 1 if number % 2 else -1]:
                answer = measure[engine]()
                if number:  # the first round pays for what is loaded late
                    answers[engine].append(answer)
    pairs = list(zip(answers["OpenVino"], answers["GenAI"], strict=True))
    name, tokens = plan.name, len(ids)
    for engine, found in answers.items():
        yield row(f"{name}: {engine}, writing", "tokens/s", [1 / one.written.seconds for one in found])
        yield row(f"{name}: {engine}, reading {tokens}", "tokens/s", [tokens / one.first_s for one in found])
    promise = plan.promise(at_least=0.97)
    writing = [genai.written.seconds / kit.written.seconds for kit, genai in pairs]
    processor = [genai.written.processor / kit.written.processor for kit, genai in pairs]
    yield row(f"{name}: OpenVino / GenAI, writing", "", writing, **promise)
    yield row(f"{name}: the same in processor time", "", processor)
    reading = [genai.first_s / kit.first_s for kit, genai in pairs]
    yield row(f"{name}: OpenVino / GenAI, reading", "", reading, **promise)
    same = [kit.written.ids == genai.written.ids[: len(kit.written.ids)] for kit, genai in pairs]
    yield Row(f"{name}: rounds in which both wrote the same tokens, of {len(same)}", sum(same), "")


def side_by_side(plan: Plan) -> Iterator[Row]:
    """Reading and writing after short and longer contexts: `LlamaCpp`, `OpenVino` and optimum, in turn."""
    with LlamaCpp(plan.gguf, context=1024) as llama, OpenVino(plan.folder, context=1024) as kit:
        optimum = Optimum(plan.folder, kit.threads)
        for context in plan.contexts:
            answers: dict[str, list[Answer]] = {"LlamaCpp": [], "OpenVino": [], "optimum": []}
            for number in range(plan.side_rounds + 1):
                messages = {model: fresh_messages(model, number, context) for model in (llama, kit)}
                ids = kit.prompt(messages[kit]).token_ids
                measure: dict[str, Callable[[], Answer]] = {
                    "LlamaCpp": lambda asked=messages[llama]: kit_answer(llama, asked, plan.tokens),
                    "OpenVino": lambda asked=messages[kit]: kit_answer(kit, asked, plan.tokens),
                    "optimum": lambda ids=ids: optimum.answer(ids, plan.tokens),
                }
                for engine in list(measure)[:: 1 if number % 2 else -1]:
                    answer = measure[engine]()
                    if number:
                        answers[engine].append(answer)
            for engine, found in answers.items():
                speeds = [1 / one.written.seconds for one in found]
                yield row(f"{plan.name}: {engine}, writing after {context} tokens", "tokens/s", speeds)
                first = [one.first_s for one in found]
                yield row(f"{plan.name}: {engine}, the first token of {context}", "s", first)

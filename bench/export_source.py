"""A model folder of any StableLM shape as the Hub has it, with random 16-bit weights: something to export.

It is good for measuring time, memory and size, and for nothing else. The weights
all differ, because OpenVINO stores equal constants once. The vocabulary is the one
that the GGUF stand-in has, so that both cut a text into the same tokens.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy

from zephyrkit import PRACTICE_HF

from . import stand_in
from .stand_in import Shape, place

_SPREAD = 0.02
"""The weights' standard deviation: what transformers initialises StableLM with."""
_COPIED = ("tokenizer_config.json", "special_tokens_map.json", "generation_config.json")
"""Files that are the practice model's: its special tokens are those of the 3B model."""


def source() -> Path:
    """The full-shape folder, 5.6 GB, built on the first call."""
    folder = place("export-source")
    if not folder.is_dir():
        build(folder, Shape())
    return folder


def build(folder: Path, shape: Shape, *, seed: int = 0) -> None:
    """Write the folder; whole or not at all."""
    unfinished = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    unfinished.mkdir(parents=True)
    config = json.loads((PRACTICE_HF / "config.json").read_text(encoding="utf-8"))
    config |= {
        "dtype": "bfloat16",
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "max_position_embeddings": shape.context,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.heads,
        "vocab_size": shape.vocabulary,
    }
    (unfinished / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    for name in _COPIED:
        if (PRACTICE_HF / name).exists():
            shutil.copy(PRACTICE_HF / name, unfinished / name)
    _write_tokenizer(unfinished / "tokenizer.json", shape.vocabulary)
    _write_weights(unfinished / "model.safetensors", shape, numpy.random.default_rng(seed))
    unfinished.replace(folder)


def _write_tokenizer(file: Path, entries: int) -> None:
    """The practice model's tokenizer with another vocabulary: as many entries as the model has rows."""
    real = os.environ.get(stand_in.REAL_VOCABULARY)
    tokens, merges = stand_in._real_vocabulary(real) if real else (stand_in._made_vocabulary(entries), [])
    tokens = [*tokens, *(f"[unused {n}]" for n in range(entries - len(tokens)))]
    tokenizer = json.loads((PRACTICE_HF / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer["model"] |= {
        "vocab": {token: number for number, token in enumerate(tokens)},
        "merges": [merge.split(" ") for merge in merges],
    }
    file.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


def _write_weights(file: Path, shape: Shape, random: numpy.random.Generator) -> None:
    header, end = {}, 0
    tensors = list(_tensors(shape))
    for name, sizes in tensors:
        begin, end = end, end + 2 * int(numpy.prod(sizes))
        header[name] = {"dtype": "BF16", "shape": sizes, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with file.open("wb") as opened:
        opened.write(len(text).to_bytes(8, "little") + text)
        for name, sizes in tensors:
            for rows in _portions(sizes):
                opened.write(_numbers(name, rows, random))


def _portions(sizes: list[int]) -> Iterator[list[int]]:
    """A tensor in parts of 1,024 rows, so that little memory is taken."""
    first, *others = sizes
    for begin in range(0, first, 1024):
        yield [min(1024, first - begin), *others]


def _numbers(name: str, sizes: list[int], random: numpy.random.Generator) -> bytes:
    """Random numbers as bf16: the upper half of a 32-bit float."""
    numbers = random.standard_normal(sizes, dtype=numpy.float32) * _SPREAD
    if name.endswith("norm.weight"):
        numbers += 1
    return (numbers.view(numpy.uint32) >> 16).astype("<u2").tobytes()


def _tensors(shape: Shape) -> Iterator[tuple[str, list[int]]]:
    width, inner = shape.width, shape.inner
    yield "model.embed_tokens.weight", [shape.vocabulary, width]
    for layer in range(shape.layers):
        begin = f"model.layers.{layer}"
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield f"{begin}.{norm}.weight", [width]
            yield f"{begin}.{norm}.bias", [width]
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            yield f"{begin}.self_attn.{name}.weight", [width, width]
        yield f"{begin}.mlp.gate_proj.weight", [inner, width]
        yield f"{begin}.mlp.up_proj.weight", [inner, width]
        yield f"{begin}.mlp.down_proj.weight", [width, inner]
    yield "model.norm.weight", [width]
    yield "model.norm.bias", [width]
    yield "lm_head.weight", [shape.vocabulary, width]

"""How much memory a model needs in llama.cpp, and whether that is free."""

from dataclasses import dataclass

from ..errors import NotEnoughMemory
from ..gguf_header import Header
from ..machine import free_memory

FIXED = 32 * 2**20
"""Bytes that llama.cpp takes whatever the model: its library, buffers, the threads' stacks."""


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes a model takes: its weights, the KV cache for the context, and room to compute."""

    weights: int
    cache: int
    scratch: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.scratch


def memory_need(header: Header, *, context: int, batch: int) -> MemoryNeed:
    """What a model with this header needs for ``context`` tokens, read ``batch`` at a time.

    The KV cache holds a key and a value of 16 bits for every layer and position
    (320 KiB a token for StableLM Zephyr 3B).
    """
    layers, width = header.get("{arch}.block_count", 0), header.get("{arch}.embedding_length", 0)
    heads = max(1, header.get("{arch}.attention.head_count", 1))
    shared = heads // max(1, header.get("{arch}.attention.head_count_kv", heads))
    inner = header.get("{arch}.feed_forward_length", 4 * width)
    entries = len(header.get("tokenizer.ggml.tokens", ()))
    scores = batch * context * heads * 4
    activations = batch * (4 * width + 2 * inner) * 4 + 2 * entries * 4
    return MemoryNeed(
        weights=sum(tensor.size for tensor in header.tensors),
        cache=2 * 2 * layers * context * width // max(1, shared),
        scratch=FIXED + scores + activations,
    )


def require_memory(name: str, header: Header, *, context: int, batch: int) -> None:
    """Raises NotEnoughMemory, with numbers, when the model would not fit in what is free."""
    need, free = memory_need(header, context=context, batch=batch), free_memory()
    if need.total <= free:
        return
    raise NotEnoughMemory(
        f"{name} needs {_gb(need.total)}: {_gb(need.weights)} of weights, {_gb(need.cache)} of KV cache for a "
        f"context of {context:,} tokens, {_gb(need.scratch)} to compute. Only {_gb(free)} is free. "
        f"{_remedy(header, free, context, batch)}"
    )


def _remedy(header: Header, free: int, context: int, batch: int) -> str:
    for smaller in (2048, 1024, 512):
        if smaller < context and memory_need(header, context=smaller, batch=batch).total <= free:
            return f"It would fit with context={smaller}. Or close other programs."
    return "Close other programs, or choose a file with fewer bits per weight."


def _gb(size: int) -> str:
    return f"{size / 1e9:.2f} GB"

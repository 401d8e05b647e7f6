"""One text that the compiled graph reads: a request to OpenVINO, and the KV cache that it writes.

The paged graph trusts its inputs: ids, positions and blocks that don't agree are
written past the end of the cache. So they are made in one place, here, from the
count of tokens that the cache holds.
"""

from collections.abc import Callable, Sequence
from math import prod

import numpy

from ..errors import NotEnoughMemory, ZephyrkitError
from .openvino_graph import WANTED, core, openvino, reason

WATCH_MS = 20
"""Milliseconds between two looks at whether a running computation is still wanted."""


class PagedText:
    """A text of at most ``context`` tokens, computed from left to right. One thread at a time may call it.

    Raises NotEnoughMemory when the KV cache can't be reserved.
    """

    def __init__(self, compiled, context: int, device: str):
        self.past = 0  # tokens whose keys and values are in the cache
        self._context = context
        self._running = False  # a computation was begun and its end not seen yet
        self._request = compiled.create_infer_request()
        caches = _caches(compiled)
        self._block = caches[-1][1][2]
        self._cache = [self._reserve(*cache, _blocks(context, self._block), device) for cache in caches]

    def compute(
        self, token_ids: Sequence[int], rows: int, unwanted: Callable[[], bool]
    ) -> numpy.ndarray | None:
        """Compute tokens at the next positions; the logits at the last ``rows`` of them, one at least.

        A float32 array, a row a position, that the next call overwrites; None when
        ``unwanted`` said so: the cache then counts none of these tokens. The thread
        stays interruptible, and the computation has ended before this returns or raises.
        Raises ValueError, before anything is computed, for tokens that don't fit.
        """
        self.settle()
        self._set_inputs(token_ids, rows)
        self._running = True
        try:
            self._request.start_async()
            while not self._request.wait_for(WATCH_MS):
                if unwanted():
                    return None
            self._running = False
            self._request.wait()  # raises what went wrong
            self.past += len(token_ids)
            return self._request.get_tensor("logits").data.reshape(rows, -1)
        except RuntimeError as error:
            raise ZephyrkitError(
                f"OpenVINO could not compute: {reason(error)}. Close the model and load it again."
            ) from error
        finally:
            self.settle()

    def settle(self) -> None:
        """End what is still being computed, also after an interrupt that came at a bad moment."""
        if self._running:
            self._request.cancel()
            try:
                self._request.wait()
            except RuntimeError:
                pass  # how OpenVINO says that it was cancelled
            self._running = False

    def _set_inputs(self, token_ids: Sequence[int], rows: int) -> None:
        """One text, at its next positions, in blocks that lie one after the other."""
        past, count = self.past, len(token_ids)
        total = past + count
        if not 0 < count <= self._context - past:
            raise ValueError(f"{count:,} tokens after {past:,} don't fit in a context of {self._context:,}.")
        blocks = _blocks(total, self._block)
        inputs = {
            "input_ids": numpy.array(token_ids, numpy.int64),
            "position_ids": numpy.arange(past, total, dtype=numpy.int64),
            "max_context_len": numpy.array(total, numpy.int32),
            "past_lens": numpy.array([past], numpy.int32),
            "subsequence_begins": numpy.array([0, count], numpy.int32),
            "block_indices_begins": numpy.array([0, blocks], numpy.int32),
            "block_indices": numpy.arange(blocks, dtype=numpy.int32),
            WANTED: numpy.arange(count - rows, count, dtype=numpy.int64),
        }
        for name, values in inputs.items():
            self._request.set_tensor(name, openvino().Tensor(values))

    def _reserve(self, name: str, shape: tuple[int, ...], kind, blocks: int, device: str):
        """Memory for one layer's keys or values, zeros: what isn't written yet is multiplied by zero, not left out.

        The system hands the memory out as it is written, so a large context costs nothing until it is used.
        """
        ov = openvino()
        shape = ov.Shape([blocks, *shape[1:]])
        try:
            if device == "CPU":
                tensor = ov.Tensor(numpy.zeros(prod(shape) * kind.bitwidth // 8, numpy.uint8), shape, kind)
            else:
                tensor = core().get_default_context(device).create_tensor(kind, shape, {})
        except (MemoryError, RuntimeError) as error:
            raise NotEnoughMemory(
                f"The KV cache for a context of {self._context:,} tokens can't be reserved. Lower context, or "
                "close other programs."
            ) from error
        self._request.set_tensor(name, tensor)
        return tensor


def _caches(compiled) -> list[tuple[str, tuple[int, ...], object]]:
    """The compiled graph's cache inputs: name, shape (its first size, the blocks, is open), element type."""
    found = []
    for port in compiled.inputs:
        name = port.get_any_name()
        if name.startswith(("key_cache.", "value_cache.")):
            sizes = [-1 if size.is_dynamic else size.get_length() for size in port.get_partial_shape()]
            found.append((name, tuple(sizes), port.get_element_type()))
    return found


def _blocks(tokens: int, block: int) -> int:
    return -(-tokens // block)

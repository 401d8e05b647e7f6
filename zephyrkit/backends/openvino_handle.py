"""A safe handle on one compiled OpenVINO model: nothing that is called here can crash the process.

The paged graph trusts its inputs: ids, positions and blocks that don't agree are
written past the end of the KV cache. So they are made in one place, here, from the
count of tokens that the cache holds. A computation that isn't wanted any more is
cancelled between two of the graph's nodes, which takes milliseconds.
"""

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from math import prod

import numpy

from ..errors import ModelClosed, NotEnoughMemory, ZephyrkitError
from .llama_bindings import bindings
from .openvino_graph import core, openvino, reason
from .openvino_tokenizer import OpenVinoTokenizer

WATCH_MS = 20
"""Milliseconds between two looks at whether a running computation is still wanted."""

CLOSE_S = 5.0
"""Seconds that `OpenVinoHandle.close` waits for a computation that it has called off."""

_CANDIDATE = numpy.dtype([("id", numpy.int32), ("logit", numpy.float32), ("p", numpy.float32)])
"""llama.cpp's ``llama_token_data``: what its samplers choose from."""


class OpenVinoHandle:
    """OpenVINO's compiled graph, its KV cache, and the folder's vocabulary: an `Engine`.

    ``ends`` are the tokens that end a reply. Raises NotEnoughMemory when the
    cache for ``context`` tokens can't be reserved.
    """

    def __init__(
        self, compiled, tokenizer: OpenVinoTokenizer, *, context: int, device: str, ends: Sequence[int]
    ):
        self.closed = False
        self._process = os.getpid()
        self._computing = threading.Lock()  # the request and the cache: one computation at a time
        self._running = False  # a computation was begun and its end not seen yet
        self._tokenizer = tokenizer
        self._ends = frozenset(ends)
        self._context = context
        self._past = 0  # tokens whose keys and values are in the cache
        self._logits = None
        _handles.add(self)
        self._request = compiled.create_infer_request()
        self._block = _caches(compiled)[-1][1][2]
        self._cache = [
            self._reserve(*cache, _blocks(context, self._block), device) for cache in _caches(compiled)
        ]
        self.vocabulary_size: int = compiled.output("logits").get_partial_shape()[2].get_length()
        self._candidates = numpy.empty(self.vocabulary_size, _CANDIDATE)
        self._token_ids = numpy.arange(self.vocabulary_size, dtype=numpy.int32)

    # -- computing ---------------------------------------------------------------

    def keep(self, count: int) -> None:
        """Drop everything from position ``count`` on from the KV cache."""
        with self._computing:
            self._check_open()
            self._past = min(count, self._past)

    def decode(self, token: int) -> bool:
        """Compute one token at the next position; False when the model was closed meanwhile."""
        return self.decode_watched([token], _never)

    def decode_watched(self, token_ids: Sequence[int], unwanted: Callable[[], bool]) -> bool:
        """Compute tokens at the next positions; called off, with False, when ``unwanted`` says so.

        The thread stays interruptible. The computation has ended before this
        returns or raises, and the cache then counts none of its tokens.
        """
        with self._computing:
            self._check_open()
            self._settle()
            self._set_inputs(token_ids)
            self._running = True
            try:
                self._request.start_async()
                while not self._request.wait_for(WATCH_MS):
                    if self.closed or unwanted():
                        return False
                self._running = False
                self._request.wait()  # raises what went wrong
                self._logits = self._request.get_tensor("logits").data.reshape(-1).copy()
                self._past += len(token_ids)
                return True
            except RuntimeError as error:
                raise ZephyrkitError(
                    f"OpenVINO could not compute: {reason(error)}. Close the model and load it again."
                ) from error
            finally:
                self._settle()

    def sample(self, sampler: int) -> int:
        """Choose a token from the latest logits with a sampler chain (its address).

        The chain is llama.cpp's, which needs no model of its own: the same
        filters in the same order as `zephyrkit.LlamaCpp`, and the same draw for a seed.
        """
        c, candidates = bindings(), self._candidates
        with self._computing:
            self._check_open()
            candidates["id"], candidates["logit"], candidates["p"] = self._token_ids, self._latest(), 0
            choice = c.llama_token_data_array(
                candidates.ctypes.data_as(ctypes.POINTER(c.llama_token_data)), len(candidates), -1, False
            )
            c.llama_sampler_apply(sampler, ctypes.byref(choice))
            token = choice.data[choice.selected].id
            c.llama_sampler_accept(sampler, token)
        return token

    def logits(self) -> numpy.ndarray:
        """The latest token's logits: a copy, float32, one for each entry of the vocabulary."""
        with self._computing:
            self._check_open()
            return self._latest().copy()

    # -- the vocabulary ----------------------------------------------------------

    def tokenize(self, text: str) -> list[int]:
        """The ids of plain text: no BOS, special tokens read as text."""
        self._check_open()
        return self._tokenizer.encode(text)

    def text(self, token: int) -> bytes | None:
        """A token's bytes, perhaps half a character; None for one that ends the reply."""
        self._check_open()
        if not 0 <= token < self.vocabulary_size:
            raise ValueError(f"There is no token {token}: the vocabulary has {self.vocabulary_size:,}.")
        return None if token in self._ends else self._tokenizer.bytes(token)

    # -- the end -----------------------------------------------------------------

    def close(self) -> None:
        """Free the memory; a computation that runs in another thread is called off first."""
        if self._process != os.getpid():
            return  # a forked child: the memory is the parent's
        self.closed = True
        if self._computing.acquire(timeout=CLOSE_S):
            try:
                self._settle()
                self._request = self._logits = None
                self._cache = []
            finally:
                self._computing.release()

    # -- inside ------------------------------------------------------------------

    def _settle(self) -> None:
        """End what is still being computed, also after an interrupt that came at a bad moment."""
        if self._running:
            self._request.cancel()
            try:
                self._request.wait()
            except RuntimeError:
                pass  # how OpenVINO says that it was cancelled
            self._running = False

    def _set_inputs(self, token_ids: Sequence[int]) -> None:
        """One text, at its next positions, in blocks that lie one after the other."""
        past, count = self._past, len(token_ids)
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

    def _latest(self) -> numpy.ndarray:
        if self._logits is None:
            raise ZephyrkitError("Nothing was computed yet, so there are no logits. Compute a token first.")
        return self._logits

    def _check_open(self) -> None:
        if self._process != os.getpid():
            raise ModelClosed(
                f"The model was loaded by process {self._process}, of which this process, {os.getpid()}, is a "
                "fork. OpenVINO's threads don't survive a fork. Load the model again in a process of its own."
            )
        if self.closed:
            raise ModelClosed("The model is closed. Load it again to go on.")


_handles: "weakref.WeakSet[OpenVinoHandle]" = weakref.WeakSet()


def _keep_in_fork() -> None:
    """In a forked child, never free what OpenVINO made: its destructors would wait for threads that aren't there."""
    for handle in list(_handles):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(handle))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep_in_fork)


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


def _never() -> bool:
    return False

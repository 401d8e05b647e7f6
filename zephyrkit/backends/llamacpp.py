"""`LlamaCpp`: a GGUF file as a `ChatModel`, computed by llama.cpp on this machine's CPU."""

import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from ..chat import Alternative, FinishReason, Piece, Reply, Sampling, Stats
from ..errors import ContextOverflow, ModelBusy, ModelClosed, ModelFileError
from ..gguf_header import Header, read_header
from ..machine import physical_cores
from ..prompt import ZEPHYR, Message, Prompt, PromptEncoder, Template
from .llama_handle import LlamaHandle
from .llama_memory import require_memory
from .sampler import SamplerChain, draw_seed
from .text_stream import TextStream

ARCHITECTURE = "stablelm"
LONGEST_CONTEXT = 4096
"""The context when none is asked for, at most: what StableLM Zephyr 3B was trained with."""

SMALL_MODEL = 64 * 2**20
"""Bytes of weights below which one core computes. Several meet at a barrier some ten times a layer: for the
practice model (3 MB) that costs more than it saves, and when the machine is busy, a hundredfold."""

BATCH = 256
"""Prompt tokens computed together at most. More would only take more memory, see `SMALLEST_STEP`."""

FIRST_STEP, SMALLEST_STEP = 16, 8
"""The prompt is read in steps, so that progress moves and Stop works. Small ones cost nothing: at full
shape 16 tokens together take 0.083 s of processor time a token, 256 take 0.084 (Q4_K_M, one core)."""

STEP_S = 0.25
"""Seconds that a step should take, about."""


class LlamaCpp:
    """A model in a GGUF file, answering on the CPU.

    ``context``   tokens that the model sees at once; None: its own limit, 4,096 at most
    ``threads``   cores to compute with; None: the physical ones that this process may use, one for
                  a small model
    ``batch``     prompt tokens computed together at most
    ``template``  the prompt's layout

    The prompt is always rendered by ``template``, whatever the file says about
    templates. What the previous turns left in the KV cache is reused. Use it in
    a ``with`` block, or call `close`, to free its memory.

    Raises ModelFileError for a file that is missing, damaged, or of another
    architecture; NotEnoughMemory, before loading, when it would not fit.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        *,
        context: int | None = None,
        threads: int | None = None,
        batch: int | None = None,
        template: Template = ZEPHYR,
    ):
        path = Path(path).expanduser()
        header = read_header(path)
        _check_architecture(path, header)
        self.name = path.stem
        self.context = _context(context, header)
        self.threads = _default_threads(header) if threads is None else _positive("threads", threads)
        self.batch = min(BATCH if batch is None else _positive("batch", batch), self.context)
        require_memory(path.name, header, context=self.context, batch=self.batch)
        self._handle = LlamaHandle(
            path,
            context=self.context,
            threads=self.threads,
            batch=self.batch,
            pre_tokenizer=_missing_pre_tokenizer(header),
        )
        # Frees the memory when the model is forgotten or the interpreter ends.
        self._finalizer = weakref.finalize(self, self._handle.close)
        self._encoder = PromptEncoder(self._handle.tokenize, self._end_id(path, template), template=template)
        self._ownership = threading.Lock()
        self._cached: list[int] = []  # the ids whose keys and values are in the KV cache

    # -- text and tokens -----------------------------------------------------------

    def tokenize(self, text: str) -> list[int]:
        """The ids of plain text: no BOS, special tokens read as text."""
        return self._handle.tokenize(text)

    def detokenize(self, token_ids: Sequence[int]) -> str:
        """The text of some ids; half a character becomes the replacement character."""
        return b"".join(self._handle.text(token) or b"" for token in token_ids).decode("utf-8", "replace")

    def prompt(self, messages: Sequence[Message]) -> Prompt:
        """The exact prompt for these messages, and how much of it the KV cache holds."""
        prompt = self._encoder.encode(messages)
        reused = _common_prefix(self._cached, prompt.token_ids)
        return Prompt(prompt.text, prompt.token_ids, prompt.segments, reused)

    # -- generating ----------------------------------------------------------------

    def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling = Sampling(),
        cancel: threading.Event | None = None,
    ) -> Generator[Piece, None, Reply]:
        """Generate a reply, piece by piece.

        Raises ModelBusy, ModelClosed or ContextOverflow when the first piece is
        asked for. Closing the model ends the stream as "cancelled".
        """
        unwanted = cancel.is_set if cancel else _never
        seed = draw_seed() if sampling.seed is None else sampling.seed
        with self._owned():
            clock = _Clock()
            ids = self._encoder.encode(messages).token_ids
            limit = min(sampling.max_tokens, self._room(ids))
            reused = self._reuse(ids)
            text = TextStream(sampling.stop)
            try:
                reason: FinishReason = "cancelled"
                if (yield from self._read(ids, unwanted)):
                    sampler = SamplerChain(sampling, seed, ids)
                    reason = yield from self._write(
                        sampler, text, sampling.alternatives, limit, unwanted, clock
                    )
            except ModelClosed:
                reason = "cancelled"
            finally:
                self._remember(text)
            yield from text.finish()
            self._remember(text)
            return Reply(text.text, reason, clock.stats(len(ids), reused, len(text.token_ids), seed))

    def next_token(self, prompt: str | Sequence[Message] | Sequence[int], top: int = 10) -> list[Alternative]:
        """The likeliest next tokens after a prompt, the likeliest first.

        ``prompt`` is plain text to go on with, or messages to reply to, or token
        ids. The log-probabilities are the model's own: over the whole
        vocabulary, before temperature and filters.
        """
        ids = self._ids(prompt)
        if not ids:
            raise ValueError("The prompt is empty: give at least one token to go on from.")
        with self._owned():
            self._room(ids)
            self._reuse(ids)
            for _ in self._read(ids, _never):
                pass
            return self._likeliest(self._handle.logits(), top)

    def close(self) -> None:
        """Free the memory. Closing twice is fine; closing ends a running stream."""
        self._finalizer()

    def __enter__(self) -> "LlamaCpp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._handle.closed else f"context {self.context:,}, {self.threads} threads"
        return f"<LlamaCpp {self.name}: {state}>"

    # -- inside --------------------------------------------------------------------

    @contextmanager
    def _owned(self) -> Iterator[None]:
        if not self._ownership.acquire(blocking=False):
            raise ModelBusy(
                f"{self.name} is generating another reply. Let that stream end, or close it, or set its cancel "
                "event; or load the model a second time."
            )
        try:
            yield
        finally:
            self._ownership.release()

    def _reuse(self, ids: Sequence[int]) -> int:
        """Cut the KV cache to what it has in common with ``ids``; returns how many ids that is."""
        reused = _common_prefix(self._cached, ids)
        del self._cached[reused:]
        # Also drops what an interrupted computation may have left behind these.
        self._handle.keep(reused)
        return reused

    def _read(self, ids: Sequence[int], unwanted: Callable[[], bool]) -> Generator[Piece, None, bool]:
        """Compute the prompt's ids that are not in the cache; False when that was called off."""
        start, step = len(self._cached), min(FIRST_STEP, self.batch)
        while (read := len(self._cached)) < len(ids):
            if unwanted():
                return False
            begun = perf_counter()
            some = ids[read : read + step]
            if not self._handle.decode_watched(some, unwanted):
                return False
            self._cached += some
            step = _next_step(step, perf_counter() - begun, self.batch)
            yield Piece("", reading=(len(self._cached) - start, len(ids) - start))
        return True

    def _write(
        self,
        sampler: SamplerChain,
        text: TextStream,
        alternatives: int,
        limit: int,
        unwanted: Callable[[], bool],
        clock: "_Clock",
    ) -> Generator[Piece, None, FinishReason]:
        """Sample and compute up to ``limit`` tokens; returns why it ended."""
        handle, cached = self._handle, self._cached
        for left in range(limit, 0, -1):
            if unwanted():
                return "cancelled"
            token = handle.sample(sampler.address)
            clock.token()
            data = handle.text(token)
            if data is None:
                return "stop"
            details = self._details(token, alternatives) if alternatives else ()
            yield from text.push(token, data, *details)
            if text.stopped:
                return "stop"
            if left > 1:
                if not handle.decode(token):
                    return "cancelled"
                cached.append(token)
        return "length"

    def _details(self, token: int, count: int) -> tuple[float, list[Alternative]]:
        logits = self._handle.logits()
        return float(logits[token] - _normaliser(logits)), self._likeliest(logits, count)

    def _likeliest(self, logits, count: int) -> list[Alternative]:
        from numpy import argpartition

        count = min(count, len(logits))
        best = argpartition(logits, -count)[-count:]
        best = best[logits[best].argsort(kind="stable")[::-1]]
        total = _normaliser(logits)
        return [Alternative(int(t), self._shown(int(t)), float(logits[t] - total)) for t in best]

    def _shown(self, token: int) -> str:
        data = self._handle.text(token)
        return self._encoder.template.end if data is None else data.decode("utf-8", "replace")

    def _remember(self, text: TextStream) -> None:
        """Keep the reply's ids for later turns, unless a stop cut its last token in two."""
        if text.text and not self._handle.closed and self.detokenize(text.token_ids) == text.text:
            self._encoder.remember(text.text, text.token_ids)

    def _room(self, ids: Sequence[int]) -> int:
        """Tokens left for the reply; raises ContextOverflow when there is none."""
        if len(ids) >= self.context:
            raise ContextOverflow(
                f"The prompt takes {len(ids):,} tokens, but the model sees only {self.context:,}, and the reply "
                "needs at least one. Shorten the prompt, or load the model with a larger context."
            )
        return self.context - len(ids)

    def _ids(self, prompt: str | Sequence[Message] | Sequence[int]) -> Sequence[int]:
        if isinstance(prompt, str):
            return self.tokenize(prompt)
        if any(isinstance(item, dict) for item in prompt):
            return self._encoder.encode(prompt).token_ids
        for token in prompt:
            self._handle.text(token)  # raises ValueError for an id that doesn't exist
        return list(prompt)

    def _end_id(self, path: Path, template: Template) -> int:
        ids = self._handle.tokenize(template.end, special=True)
        if len(ids) != 1:
            self.close()
            raise ModelFileError(
                f"{path.name} has no token {template.end}, which ends every turn of the template. "
                "Choose a StableLM Zephyr file, or pass the template that the model was trained with."
            )
        return ids[0]


class _Clock:
    """Times one reply."""

    def __init__(self) -> None:
        self.start = perf_counter()
        self.first = self.latest = None
        self.tokens = 0

    def token(self) -> None:
        self.latest = perf_counter()
        self.first = self.first or self.latest
        self.tokens += 1

    def stats(self, prompt: int, reused: int, reply: int, seed: int) -> Stats:
        first = self.first - self.start if self.first else 0.0
        writing = self.latest - self.first if self.first else 0.0
        speed = (self.tokens - 1) / writing if writing else 0.0
        return Stats(prompt, reused, reply, first, speed, seed)


def _never() -> bool:
    return False


def _common_prefix(cached: Sequence[int], ids: Sequence[int]) -> int:
    """Leading ids that need no computing. The last one always does: it gives the first logits."""
    longest = max(0, min(len(cached), len(ids) - 1))
    return next((n for n in range(longest) if cached[n] != ids[n]), longest)


def _next_step(step: int, seconds: float, most: int) -> int:
    """Prompt tokens for the next step: as many as keep progress moving a few times a second."""
    if seconds < STEP_S / 2:
        return min(2 * step, most)
    return max(SMALLEST_STEP, step // 2) if seconds > 2 * STEP_S else step


def _normaliser(logits) -> float:
    """The logarithm of the sum of the exponentials: log-probability = logit - normaliser."""
    from numpy import exp, float64, log

    top = logits.max()
    return float(top + log(exp(logits - top, dtype=float64).sum()))


def _check_architecture(path: Path, header: Header) -> None:
    if header.architecture != ARCHITECTURE:
        raise ModelFileError(
            f"{path.name} holds a model of the architecture {header.architecture!r}; this course runs "
            f"{ARCHITECTURE!r}. Choose a StableLM Zephyr file, or load this one with llama_cpp.Llama, "
            "which knows other prompt layouts."
        )


def _context(asked: int | None, header: Header) -> int:
    own = header.get("{arch}.context_length", LONGEST_CONTEXT)
    if asked is None:
        return min(own, LONGEST_CONTEXT)
    if _positive("context", asked) > own:
        raise ValueError(f"context is {asked:,}, but the model was trained to see {own:,} tokens at most.")
    return asked


def _default_threads(header: Header) -> int:
    return physical_cores() if sum(tensor.size for tensor in header.tensors) >= SMALL_MODEL else 1


def _missing_pre_tokenizer(header: Header) -> str | None:
    """The rule for files of 2023, which don't name one: GPT-NeoX's vocabulary is cut as MPT's is.

    Without it llama.cpp cuts 160 of 409 test lines otherwise than the model's own tokenizer; with it 4.
    """
    if header.get("tokenizer.ggml.model") == "gpt2" and not header.get("tokenizer.ggml.pre"):
        return "mpt"
    return None


def _positive(name: str, value: int) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}, but it must be a whole number of at least 1.")
    return value

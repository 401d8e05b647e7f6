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
from ..prompt import ZEPHYR, Message, Prompt, PromptEncoder, Template
from .llama_handle import LlamaHandle
from .llama_plan import plan
from .sampler import SamplerChain, draw_seed
from .text_stream import TextStream

FIRST_STEP, SMALLEST_STEP = 16, 8
"""The prompt is read in steps, so that progress moves and Stop works. Small ones cost nothing: at full
shape 16 tokens together take 0.083 s of processor time a token, 256 take 0.084 (Q4_K_M, one core)."""

STEP_S = 0.25
"""Seconds that a step should take, about."""

SLOW_TOKEN_S = 0.05
"""Seconds for a token from which on a worker computes the next one, so that Stop needn't wait for its end.
Handing a token over takes about 0.1 ms: too much for the practice model, nothing for a large one."""


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
        settled = plan(path, context=context, threads=threads, batch=batch)
        self.name = path.stem
        self.context, self.threads, self.batch = settled.context, settled.threads, settled.batch
        self._handle = LlamaHandle(path, settled)
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

    def logits(self, token_ids: Sequence[int], last: int | None = None):
        """The raw scores of every next token at the last ``last`` positions of a text (None: at all of them).

        A numpy array, float32: a row a position, a column a token of the vocabulary.
        The text is read apart: what the KV cache holds stays. For measuring, see
        `zephyrkit.measure`. Raises ValueError for an empty text or an id that
        doesn't exist, ContextOverflow for a text longer than the context.
        """
        ids = self._ids(list(token_ids))
        if not ids:
            raise ValueError("The text is empty: give at least one token.")
        last = len(ids) if last is None else last
        if not 1 <= last <= len(ids):
            raise ValueError(f"last is {last}, but the text has {len(ids)} tokens: use 1 to {len(ids)}.")
        if len(ids) > self.context:
            raise ContextOverflow(
                f"The text takes {len(ids):,} tokens, but the model sees only {self.context:,}. Cut it in parts."
            )
        with self._owned():
            rows = self._handle.all_logits(ids, last, _never)
        if rows is None:
            raise ModelClosed("The model was closed while it was measured. Load it again to go on.")
        return rows

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
        slow = False
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
                begun = perf_counter()
                if not (handle.decode_watched([token], unwanted) if slow else handle.decode(token)):
                    return "cancelled"
                cached.append(token)
                slow = perf_counter() - begun > SLOW_TOKEN_S
        return "length"

    def _details(self, token: int, count: int) -> tuple[float, list[Alternative]]:
        from .probabilities import logprob  # brings numpy, which a plain reply does without

        logits = self._handle.logits()
        return logprob(logits, token), self._likeliest(logits, count)

    def _likeliest(self, logits, count: int) -> list[Alternative]:
        from .probabilities import likeliest

        return [Alternative(token, self._shown(token), value) for token, value in likeliest(logits, count)]

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

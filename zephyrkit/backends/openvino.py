"""`OpenVino`: an exported folder as a `ChatModel`, computed by OpenVINO.

The tokenizer is OpenVINO GenAI's, and so are the graph and its paged attention. Only
GenAI's loop around them is not used: it keeps the logits to itself, and without them
there are no alternatives to show, and the filters run in another order than llama.cpp's
(temperature first). Here both engines choose tokens with the very same code, so the
same seed means the same draw.
"""

import os
from collections.abc import Callable
from pathlib import Path

from ..errors import ModelFileError, NotEnoughMemory
from ..machine import free_memory, physical_cores
from ..memory import MemoryNeed, memory_need
from ..prompt import ZEPHYR, Template
from .llama_plan import LONGEST_CONTEXT, SMALL_MODEL
from .openvino_folder import Folder, read_folder
from .openvino_graph import (
    CACHE_PRECISIONS,
    PRECISIONS,
    STAGES,
    Settings,
    compile_folder,
    devices,
    loading,
    require_device,
)
from .stepwise import StepwiseModel

BATCH = 128
"""Prompt tokens computed together. At full shape, on two cores with AVX2, 32 give 20.9 tokens/s, 64 21.5, 128 29.5
and 256 30.2; progress moves with each of them. It doesn't follow the machine's speed, so that the same prompt is
always cut in the same places: the last digits of the logits depend on that."""

CACHE_PRECISION = "f16"
"""How keys and values are kept when nothing else is asked for: as `zephyrkit.LlamaCpp` does. OpenVINO's own choice
for compressed models, u8, scales each channel of a block anew as the block fills. The logits then depend on how the
past was read, in one go or token by token: by up to 0.9 for the practice model (f16: 0.008), so that a retry of the
same turn with the same seed may give another reply."""

CACHE_BYTES = {"f32": 4.0, "f16": 2.0, "bf16": 2.0, "u8": 1.25, "u4": 0.75}
"""Bytes for one number in the KV cache, at most. A block of 32 keys and a value's row carry 8 numbers (u8) or
16 (u4) of scale and zero point."""


class OpenVino(StepwiseModel):
    """A model in a folder that was exported for OpenVINO, answering on one of its devices.

    ``device``            one of `OpenVino.devices`; only the CPU was tried
    ``context``           tokens that the model sees at once; None: its own limit, 4,096 at most
    ``threads``           cores to compute with, on the CPU; None: the physical ones that this process
                          may use, one for a small model
    ``batch``             prompt tokens computed together
    ``precision``         how it computes: "f32", "bf16", "f16"; None: OpenVINO's choice. With "f32"
                          nothing is rounded on the way: the tokens are those that PyTorch gives
    ``cache_precision``   how keys and values are kept: "f32", "bf16", "f16", "u8", "u4"; None: "f32"
                          where precision is "f32", else "f16". "u8" takes 0.6 of the memory of "f16",
                          but the same turn may then come out otherwise when it is tried again
    ``progress``          called with each stage of loading, in words: one of `STAGES`
    ``template``          the prompt's layout

    The prompt is always rendered by ``template``, whatever the folder says about
    templates. What the previous turns left in the KV cache is reused. Use it in a
    ``with`` block, or call `close`, to free its memory.

    Raises ModelFileError for a folder that is missing, damaged, or holds another kind of
    model; NotEnoughMemory, before loading, when it would not fit; ValueError for a device
    or a setting that doesn't exist.
    """

    devices = staticmethod(devices)

    def __init__(
        self,
        folder: str | os.PathLike,
        device: str = "CPU",
        *,
        context: int | None = None,
        threads: int | None = None,
        batch: int = BATCH,
        precision: str | None = None,
        cache_precision: str | None = None,
        progress: Callable[[str], None] | None = None,
        template: Template = ZEPHYR,
    ):
        path = Path(folder).expanduser()
        found = read_folder(path)
        _require_choice("precision", precision, PRECISIONS)
        _require_choice("cache_precision", cache_precision, CACHE_PRECISIONS)
        require_device(device)
        self.name, self.device = path.name or str(path), device
        self.context = _context(context, found)
        self.batch = _positive("batch", batch)
        self.threads = _default_threads(found) if threads is None else _positive("threads", threads)
        if cache_precision is None:
            cache_precision = "f32" if precision == "f32" else CACHE_PRECISION
        self._folder, self._cache_precision = found, cache_precision
        self._require_memory()
        settings = Settings(device, self.threads, precision, cache_precision)
        self._load(path, settings, template, progress or _silent)

    def _load(self, path: Path, settings: Settings, template: Template, tell: Callable[[str], None]) -> None:
        from .openvino_handle import OpenVinoHandle  # brings numpy
        from .openvino_tokenizer import OpenVinoTokenizer

        with loading():
            tokenizer = OpenVinoTokenizer(path)
            end = _end_id(path, tokenizer, template)
            compiled = compile_folder(path, settings, tell)
            engine = OpenVinoHandle(
                compiled,
                tokenizer,
                context=self.context,
                batch=self.batch,
                device=settings.device,
                ends=[end],
            )
            self._begin(engine, end, template)
            tell(STAGES[2])
            self._warm_up(end)
            tell(STAGES[3])

    def _warm_up(self, token: int) -> None:
        """Compute a batch and a single token: each shape's first computation lays the weights out for itself."""
        for count in (min(self.batch, self.context - 1), 1):
            self._handle.decode_watched([token] * count, lambda: False)
        self._handle.keep(0)

    def _portion(self, read: int, seconds: float | None) -> int:
        return self.batch - read % self.batch

    def _need(self, context: int) -> MemoryNeed:
        need = memory_need(self._folder.shape, self._folder.weights, context=context, batch=self.batch)
        share = CACHE_BYTES[self._cache_precision] / CACHE_BYTES["f16"]
        return MemoryNeed(need.weights, round(need.cache * share), need.scratch)

    def _require_memory(self) -> None:
        """Raises NotEnoughMemory, with numbers, when the model would not fit in what is free."""
        need, free = self._need(self.context), free_memory()
        if need.total > free:
            raise NotEnoughMemory(
                f"{self.name} needs {need.total / 1e9:.2f} GB: {need.weights / 1e9:.2f} of weights, "
                f"{need.cache / 1e9:.2f} of KV cache for a context of {self.context:,} tokens, "
                f"{need.scratch / 1e9:.2f} to compute. Only {free / 1e9:.2f} GB is free. Lower context, close "
                "other programs, or export the model with fewer bits per weight."
            )

    def __repr__(self) -> str:
        state = f"context {self.context:,}, {self.device}, {self.threads} threads"
        return f"<OpenVino {self.name}: {'closed' if self._handle.closed else state}>"


def _end_id(path: Path, tokenizer, template: Template) -> int:
    end = tokenizer.id(template.end)
    if end is None:
        raise ModelFileError(
            f"{path.name} has no token {template.end}, which ends every turn of the template. "
            "Choose an export of StableLM Zephyr, or pass the template that the model was trained with."
        )
    return end


def _context(asked: int | None, folder: Folder) -> int:
    if asked is None:
        return min(folder.context, LONGEST_CONTEXT)
    if _positive("context", asked) > folder.context:
        raise ValueError(
            f"context is {asked:,}, but the model was trained to see {folder.context:,} tokens at most."
        )
    return asked


def _default_threads(folder: Folder) -> int:
    return physical_cores() if folder.weights >= SMALL_MODEL else 1


def _positive(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is {value!r}, but it must be a whole number of at least 1.")
    return value


def _require_choice(name: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise ValueError(f"{name} is {value!r}, but it must be one of {', '.join(choices)}, or None.")


def _silent(_stage: str) -> None:
    pass

"""Read the header of a GGUF file without trusting it.

A GGUF file is: a magic number, a version, two counts, the metadata (key, type,
value), a line for each tensor (name, shape, type, offset), padding, and the
tensors' bytes. Every length in it may be a lie, so each is checked against
what the file can hold before anything is read or reserved.

The layout is the one in llama.cpp's `docs/gguf.md`; versions 2 and 3 differ only
in what big-endian files may say.
"""

import os
import struct
import sys
from array import array
from dataclasses import dataclass
from math import prod
from typing import Any

from .errors import ModelFileError

LONGEST_HEADER = 16 * 2**20
"""Bytes. A vocabulary of 50,000 entries with its merges takes 2 MB; of 250,000, about 12."""

MOST_STRINGS = 1_000_000
MOST_TENSORS = 100_000
LONGEST_KEY = 65_535
MOST_DIMENSIONS = 4

TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110),
    22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56),
    30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66),
    39: ("MXFP4", 32, 17),
}
"""ggml's type id: its name, the weights in a block, and the bytes of a block (ggml-common.h)."""

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True)
class Tensor:
    """One tensor's line. ``shape`` has the row length first, as GGUF writes it."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    """Bytes from the start of the file."""
    size: int
    """Bytes."""

    @property
    def weights(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Header:
    """What a GGUF file says about itself."""

    version: int
    metadata: dict[str, Any]
    tensors: tuple[Tensor, ...]
    alignment: int
    size: int
    """Bytes of header, padding included: where the tensors' bytes begin."""

    @property
    def architecture(self) -> str:
        return self.metadata.get("general.architecture", "")

    def get(self, key: str, default: Any = None) -> Any:
        """A value by its key; ``{arch}`` stands for the architecture: ``{arch}.context_length``."""
        return self.metadata.get(key.replace("{arch}", self.architecture), default)


def read_header(path: str | os.PathLike) -> Header:
    """Read and check the header of the GGUF file at ``path``.

    Takes at most a second and 50 MB, whatever the file claims. Raises
    ModelFileError with the cause when it is missing, not GGUF, or damaged.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            file_size = os.fstat(file.fileno()).st_size
            data = file.read(LONGEST_HEADER)
    except FileNotFoundError:
        raise ModelFileError(f"There is no file {name}. Check the path, or download the model.") from None
    except OSError as error:
        raise ModelFileError(
            f"{name} can't be read: {error.strerror}. Check that it is a file of yours."
        ) from error
    try:
        _refuse_other_files(data, file_size)
        return _Reader(data, file_size).header()
    except _Damage as damage:
        raise ModelFileError(f"{os.path.basename(name)}: {damage}") from None


class _Damage(Exception):
    """Why a file can't be used, and what to do; `read_header` adds its name."""

    def __init__(self, cause: str, remedy: str = "Download it again."):
        super().__init__(f"{cause} {remedy}")


def _refuse_other_files(data: bytes, file_size: int) -> None:
    start = data[:512].lstrip()
    if file_size == 0:
        raise _Damage("the file is empty: its download never began.")
    if start.startswith(b"version https://git-lfs"):
        raise _Damage("this is a Git LFS pointer, not the model.", "Download the file, or run git lfs pull.")
    if start[:1] == b"<" and b"html" in start.lower():
        raise _Damage("this is a web page, not a model.", "Use the download link instead of the page's.")
    if data[:4] in (b"ggml", b"ggjt", b"ggla", b"lmgg", b"tjgg"):
        raise _Damage("this is GGML, which llama.cpp no longer reads.", "Download a GGUF file.")
    if data[:4] != b"GGUF":
        raise _Damage(f"this is not a GGUF file: it begins with {data[:4]!r}, not b'GGUF'.")


class _Reader:
    def __init__(self, data: bytes, file_size: int):
        self.data, self.file_size, self.at = data, file_size, 4

    def header(self) -> Header:
        version = self._version()
        tensors, pairs = self.number("Q"), self.number("Q")
        # The shortest key-value pair takes 13 bytes, the shortest tensor line 24.
        self._believable("metadata entries", pairs, 13, LONGEST_HEADER)
        self._believable("tensors", tensors, 24, MOST_TENSORS)
        metadata = self.metadata(pairs)
        alignment = metadata.get("general.alignment", 32)
        if not isinstance(alignment, int) or alignment < 8 or alignment & (alignment - 1):
            raise _Damage(f"its alignment is {alignment!r}, which is not a power of two of at least 8.")
        lines = [self.tensor_line() for _ in range(tensors)]
        start = -(-self.at // alignment) * alignment
        return Header(version, metadata, self.placed(lines, start, alignment), alignment, start)

    def metadata(self, pairs: int) -> dict[str, Any]:
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self.key()
            if key in metadata:
                raise _Damage(f"it has the key {key!r} twice.")
            metadata[key] = self.value(self.number("I"), key)
        if not isinstance(metadata.get("general.architecture", ""), str):
            raise _Damage("its architecture is not a text.")
        return metadata

    def tensor_line(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.key()
        dimensions = self.number("I")
        if not 1 <= dimensions <= MOST_DIMENSIONS:
            raise _Damage(
                f"the tensor {name!r} has {dimensions} dimensions; GGUF allows 1 to {MOST_DIMENSIONS}."
            )
        shape = tuple(self.number("Q") for _ in range(dimensions))
        return name, shape, self.number("I"), self.number("Q")

    def placed(self, lines: list, start: int, alignment: int) -> tuple[Tensor, ...]:
        """The tensors with their place in the file, each inside it and none over another."""
        tensors: dict[str, Tensor] = {}
        end = 0
        for name, shape, type_id, offset in lines:
            size = _byte_size(name, shape, type_id)
            if name in tensors:
                raise _Damage(f"it has the tensor {name!r} twice.")
            if offset % alignment or offset < end:
                raise _Damage(f"the tensor {name!r} begins at {offset:,}, where it can't.")
            end = offset + size
            if start + end > self.file_size:
                raise _Damage(
                    f"it is cut off: the tensor {name!r} ends at byte {start + end:,}, but the file has only "
                    f"{self.file_size:,} bytes.",
                    "Let the download finish.",
                )
            tensors[name] = Tensor(name, shape, TENSOR_TYPES[type_id][0], start + offset, size)
        return tuple(tensors.values())

    def value(self, kind: int, key: str) -> Any:
        if kind in _NUMBERS:
            return self.number(_NUMBERS[kind])
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self.array(key)
        raise _Damage(f"the key {key!r} has the unknown type {kind}.")

    def array(self, key: str) -> Any:
        kind, count = self.number("I"), self.number("Q")
        if kind == _STRING:
            self._believable(f"texts in {key!r}", count, 8, MOST_STRINGS)
            return self.texts(count)
        if kind not in _NUMBERS:
            raise _Damage(f"the list {key!r} holds the unknown type {kind}.")
        code = "B" if kind == 7 else _NUMBERS[kind]
        numbers = array(code)
        self._believable(f"numbers in {key!r}", count, numbers.itemsize, LONGEST_HEADER)
        numbers.frombytes(self.take(count * numbers.itemsize))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers

    def texts(self, count: int) -> list[str]:
        """Many texts, without a call for each: a vocabulary and its merges are 100,000."""
        data, at, length_at = self.data, self.at, struct.Struct("<Q").unpack_from
        texts = []
        for _ in range(count):
            if at + 8 > len(data):
                break
            end = at + 8 + length_at(data, at)[0]
            if end > len(data):
                break
            texts.append(data[at + 8 : end].decode("utf-8", "replace"))
            at = end
        self.at = at
        while len(texts) < count:  # only where the data ends too soon: text() says how
            texts.append(self.text())
        return texts

    def key(self) -> str:
        length = self.number("Q")
        if not 1 <= length <= LONGEST_KEY:
            raise _Damage(f"a name in it is {length:,} bytes long; 1 to {LONGEST_KEY:,} is possible.")
        return self.take(length).decode("utf-8", "replace")

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", "replace")

    def number(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > self.file_size:
            raise _Damage(
                f"it is cut off or damaged: byte {end:,} is needed, but the file has only {self.file_size:,}."
            )
        if end > len(self.data):
            raise _Damage(f"its header is longer than {LONGEST_HEADER / 2**20:.0f} MiB, so it is damaged.")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def _version(self) -> int:
        version = self.number("I")
        if version in (2 << 24, 3 << 24):
            raise _Damage("this GGUF file is big-endian.", "Download the ordinary, little-endian one.")
        if version == 1:
            raise _Damage(
                "this is GGUF version 1, which llama.cpp no longer reads.", "Download a newer file."
            )
        if version not in (2, 3):
            raise _Damage(f"it says GGUF version {version}; versions 2 and 3 are known.")
        return version

    def _believable(self, what: str, count: int, least_bytes: int, most: int) -> None:
        if count > most or count * least_bytes > self.file_size:
            raise _Damage(
                f"it claims {count:,} {what}, more than a file of {self.file_size:,} bytes can hold."
            )


def _byte_size(name: str, shape: tuple[int, ...], type_id: int) -> int:
    if type_id not in TENSOR_TYPES:
        raise _Damage(f"the tensor {name!r} has the unknown type {type_id}.", "Update the kit.")
    type_name, block, block_bytes = TENSOR_TYPES[type_id]
    if min(shape) < 1 or prod(shape) > 2**48:
        raise _Damage(f"the tensor {name!r} has the impossible shape {shape}.")
    if shape[0] % block:
        raise _Damage(
            f"the tensor {name!r} has rows of {shape[0]:,}, which {type_name}'s blocks of {block} don't divide."
        )
    return prod(shape) // block * block_bytes

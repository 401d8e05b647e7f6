"""The header reader names the true cause, in bounded time and memory, whatever a file claims."""

import os
import random
import struct
import subprocess
import sys

import pytest

from zephyrkit import PRACTICE, ModelFileError, read_header


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: str = "w", shape=(32,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def gguf(entries=(), tensors=(), *, version=3, pairs=None, count=None, body=b"\0" * 4096) -> bytes:
    head = b"GGUF" + struct.pack("<I", version)
    count, pairs = len(tensors) if count is None else count, len(entries) if pairs is None else pairs
    head += struct.pack("<QQ", count, pairs)
    head += b"".join(entries) + b"".join(tensors)
    return head + b"\0" * (-len(head) % 32) + body


ARCHITECTURE = entry("general.architecture", 8, text("stablelm"))

DAMAGED = {
    "empty": (b"", "empty"),
    "page": (b"<!DOCTYPE html><html>Not found", "web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
    "ggml": (b"ggjt" + b"\0" * 100, "GGML"),
    "magic": (b"GGUX" + b"\0" * 100, "not a GGUF"),
    "version 1": (gguf(version=1), "version 1"),
    "version 4": (gguf(version=4), "version 4"),
    "big-endian": (gguf(version=3 << 24), "big-endian"),
    "pairs": (gguf(pairs=2**60), "metadata entries"),
    "tensors": (gguf(count=2**60), "tensors"),
    "key size": (gguf([struct.pack("<Q", 2**40)]), "bytes long"),
    "no key": (gguf([text("") + b"\0" * 8]), "bytes long"),
    "type": (gguf([entry("a", 99, b"")]), "unknown type 99"),
    "list type": (gguf([entry("a", 9, struct.pack("<IQ", 9, 1))]), "unknown type 9"),
    "list length": (gguf([entry("a", 9, struct.pack("<IQ", 8, 2**50))]), "texts"),
    "numbers": (gguf([entry("a", 9, struct.pack("<IQ", 4, 2**50))]), "numbers"),
    "text length": (gguf([entry("a", 8, struct.pack("<Q", 2**50))]), "cut off"),
    "key twice": (gguf([ARCHITECTURE, ARCHITECTURE]), "twice"),
    "architecture": (gguf([entry("general.architecture", 4, struct.pack("<I", 1))]), "not a text"),
    "alignment": (gguf([entry("general.alignment", 4, struct.pack("<I", 33))]), "alignment"),
    "tensor twice": (gguf(tensors=[tensor(), tensor(offset=128)]), "twice"),
    "dimensions": (gguf(tensors=[tensor(shape=(1, 1, 1, 1, 1))]), "5 dimensions"),
    "shape": (gguf(tensors=[tensor(shape=(2**40, 2**40))]), "impossible shape"),
    "zero": (gguf(tensors=[tensor(shape=(0,))]), "impossible shape"),
    "rows": (gguf(tensors=[tensor(shape=(100,), kind=12)]), "blocks of 256"),
    "tensor type": (gguf(tensors=[tensor(kind=77)]), "unknown type 77"),
    "offset": (gguf(tensors=[tensor(offset=7)]), "where it can't"),
    "overlap": (gguf(tensors=[tensor("a", (64,)), tensor("b", (64,), offset=32)]), "where it can't"),
    "cut off": (gguf(tensors=[tensor(shape=(4096,))]), "cut off"),
    "49-byte bomb": (
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<IIQ", 9, 8, 2**63),
        "texts",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_the_true_cause_is_named(name, tmp_path):
    data, cause = DAMAGED[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=cause):
        read_header(path)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(ModelFileError, match="no file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelFileError, match="can't be read"):
        read_header(tmp_path)


@pytest.mark.parametrize("version", [2, 3])
def test_a_sound_file(version, tmp_path):
    path = tmp_path / "model.gguf"
    numbers = entry("n", 9, struct.pack("<IQ3I", 4, 3, 1, 2, 3))
    tensors = [tensor("a", (64,), 8), tensor("b", (32, 2), 1, 96)]
    path.write_bytes(gguf([ARCHITECTURE, numbers], tensors, version=version))
    header = read_header(path)
    assert header.architecture == "stablelm" and list(header.get("n")) == [1, 2, 3]
    found = [(tensor.name, tensor.type, tensor.size, tensor.weights) for tensor in header.tensors]
    assert found == [("a", "Q8_0", 68, 64), ("b", "F16", 128, 64)]
    assert header.tensors[0].offset == header.size


def test_the_practice_model_is_accounted_for_to_the_byte():
    header = read_header(PRACTICE)
    last = header.tensors[-1]
    assert header.architecture == "stablelm" and header.get("{arch}.context_length") == 2048
    # A GGUF writer pads the last tensor to the alignment, too.
    assert 0 <= os.path.getsize(PRACTICE) - (last.offset + last.size) < header.alignment


def test_the_table_of_types_is_ggml_s_own():
    from gguf.constants import GGML_QUANT_SIZES
    from gguf.constants import GGMLQuantizationType as Type

    from zephyrkit.gguf_header import TENSOR_TYPES

    for kind, (name, block, size) in TENSOR_TYPES.items():
        assert Type(kind).name == name
        assert GGML_QUANT_SIZES[Type(kind)] == (block, size), name


MUTATE = """
import pathlib, random, resource, sys, time
from zephyrkit import ModelFileError, read_header
sound, path, rng = open(sys.argv[1], "rb").read(), sys.argv[2], random.Random(7)
header = read_header(sys.argv[1]).size
sound = sound[:header + 65536]
read = refused = 0
slowest = 0.0
for _ in range(300):
    data = bytearray(sound)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(data), 4000) if rng.random() < .8 else header)
        width = rng.choice([1, 4, 8])
        data[at:at + width] = rng.choice([rng.randbytes(width), b"\\xff" * width, b"\\0" * width])
    if rng.random() < .2:
        del data[rng.randrange(len(data)):]
    open(path, "wb").write(data)
    start = time.perf_counter()
    try:
        read_header(path); read += 1
    except ModelFileError:
        refused += 1
    slowest = max(slowest, time.perf_counter() - start)
status = pathlib.Path("/proc/self/status")
if status.exists():  # Linux's ru_maxrss still counts the parent that this process was forked from
    peak_kb = int(status.read_text().split("VmHWM:")[1].split()[0])
else:
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(read, refused, slowest, peak_kb // 1024)
"""


def test_mutants_are_read_or_refused_and_never_anything_else(tmp_path):
    """300 mutants in a child process: no other exception, a second and 50 MB over Python's own at most."""
    done = subprocess.run(
        [sys.executable, "-c", MUTATE, str(PRACTICE), str(tmp_path / "mutant")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    read, refused, slowest, peak_mb = done.stdout.split()
    assert int(read) + int(refused) == 300 and int(refused) > 100
    assert float(slowest) < 1.0
    assert int(peak_mb) < 15 + 20 + 50, "Python itself, the mutant in memory, and the reader's 50 MB"


def test_a_header_of_random_bytes_is_refused(tmp_path):
    path = tmp_path / "noise.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<I", 3) + random.Random(1).randbytes(200_000))
    with pytest.raises(ModelFileError):
        read_header(path)

"""The command line, as people and scripts use it: in processes of its own."""

import json
import os
import struct
import subprocess
import sys

import pytest
from gguf_files import ARCHITECTURE, STRING, entry, gguf, tensor, text

import zephyrkit as zk
from zephyrkit.catalogue import CATALOGUE, WEIGHTS
from zephyrkit.cli.tables import amount, table

COMMAND = [sys.executable, "-m", "zephyrkit"]


@pytest.fixture
def place(tmp_path):
    """Settings for a user of our own: an empty cache, no network."""
    return {
        **os.environ,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "ZEPHYRKIT_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "200",
    }


@pytest.fixture
def run(place):
    def run(*arguments, **settings) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={**place, **settings},
            timeout=120,
            encoding="utf-8",
        )

    return run


def refused(done: subprocess.CompletedProcess) -> str:
    """What an error says: one message on standard error, nothing else."""
    assert done.returncode == 1 and done.stdout == "", done
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_help_says_every_verb_and_loads_nothing_heavy(run):
    said = run("--help").stdout
    for verb in ("list", "download", "verify", "show", "doctor", "mirror"):
        assert f"  {verb} " in said and "Usage: zephyrkit " + verb in run(verb, "--help").stdout
    code = "import sys, zephyrkit.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"huggingface_hub", "llama_cpp", "rich", "numpy", "starlette", "httpx", "psutil", "tqdm"}
    assert not heavy & {name.split(".")[0] for name in loaded.stdout.split()}


@pytest.mark.parametrize(
    "arguments", [[], ["lists"], ["download"], ["list", "--context", "0"], ["show", "a", "b"]]
)
def test_a_wrong_argument_is_status_2(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2 and "Usage: zephyrkit" in done.stderr and "Traceback" not in done.stderr


def test_list_shows_the_whole_catalogue(run):
    said = run("list").stdout
    rows = {line[3:].split()[0]: line for line in said.split("\n\n")[0].splitlines()[1:]}
    for name, quant in CATALOGUE.items():
        assert rows[name].startswith("*") == quant.recommended and rows[name].endswith(quant.remark)
        figures = [str(quant.bits), amount(quant.size), amount(quant.memory(context=4096).total)]
        assert rows[name][3:].split()[: 1 + 5] == [name, *" ".join(figures).split()]
    assert "with the kit" in rows["practice"] and WEIGHTS in rows


def test_list_in_json_counts_with_the_context(run):
    small = json.loads(run("list", "--context", 512, "--json").stdout)
    assert [document["name"] for document in small] == [*CATALOGUE, WEIGHTS]
    for document in small[:-1]:
        quant = CATALOGUE[document["name"]]
        assert document["memory"] == quant.memory(context=512).total and document["size"] == quant.size
    assert small[0]["path"] == str(zk.PRACTICE) and not any(document["path"] for document in small[1:])


def test_show_accounts_for_every_byte(run):
    said, document = run("show", zk.PRACTICE).stdout, json.loads(run("show", "practice", "--json").stdout)
    header, size = zk.read_header(zk.PRACTICE), zk.PRACTICE.stat().st_size
    assert document["size"] == size and document["weights"] == sum(t.weights for t in header.tensors)
    by_type = {share["type"]: share for share in document["types"]}
    assert by_type["Q8_0"]["bits_per_weight"] == 8.5 and by_type["F32"]["bits_per_weight"] == 32
    in_tensors = sum(share["size"] for share in by_type.values())
    assert in_tensors + header.size == size, "this file ends with its last tensor"
    assert f"{document['bits_per_weight']:.4f}, the whole file" in said
    assert f"{size * 8 / document['weights']:.4f}" in said and f"{header.size:,}" in said
    assert document["metadata"]["tokenizer.ggml.tokens"]["length"] == 1024
    assert len(document["metadata"]["tokenizer.ggml.tokens"]["first"]) < 10 and "tensors" not in document
    everything = run("show", zk.PRACTICE, "--tensors").stdout
    assert all(tensor.name in everything for tensor in header.tensors)
    assert "blk.0.attn_q.weight" not in said


def test_show_writes_no_tricks_of_a_file_to_the_terminal(run, tmp_path):
    path = tmp_path / "tricky.gguf"
    evil = "\x1b]0;owned\x07\x1b[31m\u202e\n"
    entries = [
        ARCHITECTURE,
        entry("general.name", STRING, text(evil)),
        entry(evil, STRING, text(evil)),
        entry("nan", 6, struct.pack("<f", float("nan"))),
        entry("list", 9, struct.pack("<IQ", STRING, 1) + text(evil)),
    ]
    path.write_bytes(gguf(entries, [tensor(evil)]))
    said = run("show", path, "--tensors").stdout
    assert said.replace("\n", "").isprintable() and "owned" in said
    assert json.loads(run("show", path, "--json").stdout)["metadata"]["nan"] == "nan"


def test_show_a_file_without_tensors(run, tmp_path):
    (tmp_path / "vocabulary.gguf").write_bytes(gguf([ARCHITECTURE]))
    assert "0 in 0 tensors" in run("show", tmp_path / "vocabulary.gguf").stdout
    document = json.loads(run("show", tmp_path / "vocabulary.gguf", "--json").stdout)
    assert document["bits_per_weight"] is None and document["types"] == []


def test_errors_are_one_message(run, tmp_path):
    assert "no file" in refused(run("show", tmp_path / "none.gguf"))
    assert "zephyrkit download Q4_K_M" in refused(run("show", "Q4_K_M"))
    (tmp_path / "page.gguf").write_text("<!doctype html><html>")
    assert "web page" in refused(run("show", tmp_path / "page.gguf"))
    assert "Did you mean 'Q4_K_M'?" in refused(run("download", "q4_k_m"))
    assert "HF_HUB_OFFLINE" in refused(run("download", "Q4_K_M"))
    assert "isn't in" in refused(run("verify", "Q4_K_M"))
    assert "no 'nonsense'" in refused(run("verify", "nonsense"))


def test_a_reader_that_leaves_early_sees_no_traceback(place):
    command = f"'{sys.executable}' -m zephyrkit show practice --tensors | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=place, timeout=60)
    assert done.stdout.startswith("file") and done.stderr == ""


def test_a_terminal_without_unicode_gets_its_text(run):
    done = run("show", "practice", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "tokenizer.ggml.tokens" in done.stdout, done.stderr
    assert run("doctor", PYTHONIOENCODING="ascii").returncode == 0


def test_verify_a_file_of_ones_own(run, tmp_path):
    path = tmp_path / "own.gguf"
    path.write_bytes(zk.PRACTICE.read_bytes())
    first, second = run("verify", path), run("verify", path)
    assert first.returncode == second.returncode == 0
    assert "Nothing was known of it" in first.stdout and "Right, by the first check" in second.stdout
    path.write_bytes(zk.PRACTICE.read_bytes()[:-1] + b"x")
    changed = run("verify", path)
    assert changed.returncode == 1 and "Wrong: own.gguf should have" in changed.stderr
    assert "Right, by the catalogue" in run("verify", "practice").stdout


def test_doctor_in_text_and_json(run):
    done, document = run("doctor"), json.loads(run("doctor", "--json").stdout)
    assert done.returncode == (0 if document["ok"] else 1)
    assert done.stdout.strip().endswith(document["summary"]) and len(document["rows"]) == 11
    assert all(row["name"] in done.stdout for row in document["rows"])


def test_a_table_keeps_its_columns():
    assert table(("a", "long"), [("x", "1"), ("yy", "22")], " r") == "a   long\nx      1\nyy    22"
    assert [amount(n) for n in (999, 3_390_880, 1_710_000_000)] == ["999 bytes", "3.39 MB", "1.71 GB"]

"""The doctor, on this machine and on broken ones."""

import hashlib
import json
import os
import subprocess
import sys
from importlib import metadata

import pytest
from packaging.requirements import Requirement

import zephyrkit as zk
from zephyrkit import machine
from zephyrkit.classroom import doctor as rooms
from zephyrkit.classroom import engine_check
from zephyrkit.classroom.doctor import Report, Row

COMMAND = [sys.executable, "-m", "zephyrkit.classroom.doctor"]


@pytest.fixture
def practice(tmp_path, monkeypatch):
    """A small file in the practice model's place."""
    path = tmp_path / "practice-Q8_0.gguf"
    path.write_bytes(b"GGUF and what follows")
    monkeypatch.setattr(rooms, "PRACTICE", path)
    return path


def test_this_machine_is_ready():
    report = zk.doctor()
    assert report.ok, report
    assert [row.name for row in report.rows] == [
        "Python", "packages", "cores", "memory", "disk", "llama.cpp", "practice model",
    ]  # fmt: skip
    engine = next(row for row in report.rows if row.name == "llama.cpp")
    assert metadata.version("llama-cpp-python") in engine.found and "said 4 tokens" in engine.found


def test_the_command_prints_text_or_json():
    text = subprocess.run(COMMAND, capture_output=True, text=True)
    document = json.loads(subprocess.run([*COMMAND, "--json"], capture_output=True, text=True).stdout)
    assert text.returncode == (0 if document["ok"] else 1)
    assert text.stdout.strip().endswith(document["summary"])
    assert all(row["name"] in text.stdout for row in document["rows"])


def test_a_failure_makes_the_report_fail_and_says_what_to_do():
    report = Report(
        (Row("a", "ok", "fine"), Row("b", "warn", "so so", "Mind it."), Row("c", "fail", "<b>", "Fix it."))
    )
    assert not report.ok
    assert report.summary.startswith("1 of 3 checks failed")
    assert "-> Fix it." in repr(report) and "-> Mind it." in repr(report)
    assert "&lt;b&gt;" in report._repr_html_() and "Fix it." in report._repr_html_()
    assert Report(report.rows[:2]).ok and "remark" in Report(report.rows[:2]).summary


def test_another_version_of_a_package_is_named():
    installed = metadata.version("ipykernel")
    assert rooms._unmet(Requirement("ipykernel>=7.1")) is None
    assert rooms._unmet(Requirement("ipykernel<7")) == f"ipykernel is {installed}, not <7"
    assert rooms._unmet(Requirement("no-such-package-here>=1")) == "no-such-package-here is missing"


@pytest.mark.parametrize(
    ("limit", "state"), [(100_000_000, "fail"), (1_000_000_000, "warn"), (rooms.ZEPHYR_MEMORY + 10**9, "ok")]
)
def test_a_containers_memory_limit_counts(tmp_path, monkeypatch, limit, state):
    if machine.free_memory() < rooms.ZEPHYR_MEMORY + 10**9:
        pytest.skip("this machine has less free memory than the largest limit of this test")
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(str(limit))
    (tmp_path / "memory.current").write_text("0")
    row = rooms.check_memory()
    assert (row.state, bool(row.fix)) == (state, state != "ok")


def test_disk_is_looked_at_where_models_are_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "not" / "yet" / "there"))
    assert rooms._model_folder() == tmp_path
    monkeypatch.delenv("HF_HUB_CACHE")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert rooms._model_folder() == tmp_path
    monkeypatch.setattr(rooms, "ZEPHYR_DISK", 10**18)
    assert rooms.check_disk().state == "warn" and "HF_HOME" in rooms.check_disk().fix


def test_the_practice_model_is_compared_with_its_checksum(practice):
    digest = hashlib.sha256(practice.read_bytes()).hexdigest()
    assert rooms.check_practice().state == "warn"
    card = {"files": {"other.gguf": {"sha256": "0" * 64}, practice.name: {"sha256": digest}}}
    (practice.parent / "card.json").write_text(json.dumps(card))
    assert rooms.check_practice().state == "ok"
    practice.write_bytes(practice.read_bytes().replace(b"what", b"that"))
    assert rooms.check_practice().state == "fail" and digest[:12] in rooms.check_practice().found
    (practice.parent / "card.json").write_text('{"files": []}')
    assert rooms.check_practice().state == "warn"
    practice.unlink()
    assert rooms.check_practice().state == "fail" and "missing" in rooms.check_practice().found


def test_a_file_of_another_kind_is_no_practice_model(practice):
    practice.write_text("<!doctype html>")
    assert rooms.check_practice().state == "fail"


# -- the engine, in child processes that really end badly --------------------------------


def check(trial: str, model=None):
    return engine_check.check_engine(model or engine_check.Path("nowhere.gguf"), trial=trial)


def test_a_missing_engine():
    hidden = "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]\n"
    found = check(hidden + "import llama_cpp")
    assert not found.ok and "not installed" in found.found
    assert "pip install llama-cpp-python==" in found.fix


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die from")
def test_an_instruction_that_the_processor_lacks_ends_only_the_child():
    found = check("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert not found.ok and "lacks an instruction" in found.found and "while it loads" in found.found
    assert "--no-binary llama-cpp-python" in found.fix


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to die from")
@pytest.mark.parametrize(("name", "advice"), [("SIGSEGV", "Build it"), ("SIGKILL", "memory ran out")])
def test_other_sudden_ends_are_named(name, advice):
    said = 'print(\'{"version": "1"}\', flush=True)'
    found = check(f"import os, signal; {said}; os.kill(os.getpid(), signal.{name})")
    assert not found.ok and name in found.found and "while it reads the practice model" in found.found
    assert advice in found.fix


def test_an_engine_that_never_answers(monkeypatch):
    monkeypatch.setattr(engine_check, "TIMEOUT", 0.5)
    found = check("import time; time.sleep(60)")
    assert not found.ok and "no answer within 0.5 s" in found.found


def test_a_file_that_the_engine_refuses(practice):
    found = engine_check.check_engine(practice)
    assert not found.ok and "while it reads the practice model" in found.found
    assert "practice model's file" in found.fix

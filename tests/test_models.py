"""From a word to a model."""

import shutil

import pytest

import zephyrkit as zk


def test_practice_is_the_default(monkeypatch):
    monkeypatch.delenv("ZEPHYRKIT_MODEL", raising=False)
    with zk.load() as model, zk.load("practice", context=256) as small:
        assert model.name == small.name == zk.PRACTICE.stem
        assert (model.context, small.context) == (2048, 256)


def test_one_setting_switches_every_notebook(monkeypatch, tmp_path):
    path = tmp_path / "mine.gguf"
    shutil.copy(zk.PRACTICE, path)
    monkeypatch.setenv("ZEPHYRKIT_MODEL", str(path))
    with zk.load() as model:
        assert model.name == "mine"


@pytest.mark.parametrize("word", ["practise", "Q4_K_N", "weights", "no/such/folder"])
def test_an_unknown_word_is_said(word):
    with pytest.raises(zk.ModelFileError, match=f"no model called '{word}'.*practice.*Q2_K.*Q4_K_M.*Q8_0"):
        zk.load(word)


def test_a_path_that_leads_nowhere(tmp_path):
    with pytest.raises(zk.ModelFileError, match="no file"):
        zk.load(tmp_path / "gone.gguf")


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "page"
    path.write_text("<html>Not found</html>")
    with pytest.raises(zk.ModelFileError, match="web page"):
        zk.load(path)

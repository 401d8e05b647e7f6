"""From a word to a model."""

import shutil

import pytest
from downloads import Watch, at_home
from faulty_hub import faulty_hub

import zephyrkit as zk

__all__ = ["at_home"]

FILE = zk.CATALOGUE["Q2_K"].file


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


@pytest.mark.parametrize("engine", ["", ":openvino"])
@pytest.mark.parametrize("word", ["practise", "Q4_K_N", "weights", "no/such/folder"])
def test_an_unknown_word_is_said(word, engine):
    with pytest.raises(zk.ModelFileError, match=f"no model called '{word}'.*practice.*Q2_K.*Q4_K_M.*Q8_0"):
        zk.load(word + engine)


def served(place):
    """A Hub with the file Q2_K. The practice model's bytes stand for it: it is the way that counts here."""
    folder = place / "served"
    folder.mkdir()
    (folder / FILE).write_bytes(zk.PRACTICE.read_bytes())
    return faulty_hub({zk.CATALOGUE["Q2_K"].repository.id: folder})


def test_a_file_of_the_catalogue_is_fetched_and_loaded_by_its_name(monkeypatch, tmp_path, at_home):
    with served(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        watch = Watch()
        with zk.load("Q2_K", context=256, progress=watch) as model:
            assert model.context == 256 and watch.stages[-1] == "done"
        monkeypatch.setenv("ZEPHYRKIT_MODEL", "Q2_K")
        with zk.load(context=256) as model:
            assert model.name == FILE.removesuffix(".gguf")
        assert len(hub.files()) == 1


def test_with_the_other_engine_it_is_fetched_and_converted_once(monkeypatch, tmp_path, at_home):
    with served(tmp_path) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        stages = []
        with zk.load("Q2_K:openvino", context=256, progress=lambda p: stages.append(p.stage)) as model:
            assert isinstance(model, zk.OpenVino) and model.context == 256
        assert stages.index("downloading") < stages.index("checking") < stages.index("saving")
        monkeypatch.setenv("ZEPHYRKIT_MODEL", "Q2_K:openvino")
        stages.clear()
        with zk.load(context=256, progress=lambda p: stages.append(p.stage)) as model:
            assert model.name.startswith(FILE.removesuffix(".gguf"))
        assert "saving" not in stages and len(hub.files()) == 1
    (made,) = (at_home / "models--TheBloke--stablelm-zephyr-3b-GGUF" / "openvino").iterdir()
    with zk.load(made, context=256) as model:
        assert isinstance(model, zk.OpenVino), "a folder's path needs no word for its engine"


def test_the_practice_model_s_other_form_comes_with_the_kit():
    with zk.load("practice:openvino") as model, zk.load(zk.PRACTICE_OPENVINO) as other:
        assert model.name == other.name == zk.PRACTICE_OPENVINO.name
    with zk.load(f"{zk.PRACTICE_OPENVINO}:openvino", context=256) as model:
        assert model.context == 256, "it is OpenVINO's already"


def test_offline_a_name_that_is_not_cached_says_so(monkeypatch, at_home):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(zk.NotInCache, match="HF_HUB_OFFLINE"):
        zk.load("Q4_K_M")


def test_a_path_that_leads_nowhere(tmp_path):
    with pytest.raises(zk.ModelFileError, match="no file"):
        zk.load(tmp_path / "gone.gguf")


def test_a_file_of_another_kind(tmp_path):
    path = tmp_path / "page"
    path.write_text("<html>Not found</html>")
    with pytest.raises(zk.ModelFileError, match="web page"):
        zk.load(path)

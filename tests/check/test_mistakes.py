"""What is wrong with a model's folder, and what was meant; found before anything is loaded."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from streamer.check.target import find_targets
from streamer.config.sources import SettingsError
from streamer.weights.manifest import ModelError

BANDS = Path(__file__).parents[2] / "docs/examples/bands"
OWN = "from streamer import Model\n\n\nclass Own(Model):\n    pass\n"

ABSENT: Any = object()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present one: a copy of the example of the guide, and a class of one's own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(BANDS, tmp_path / "bands")
    (tmp_path / "own.py").write_text(OWN)
    return tmp_path


def change(file: Path, path: str, value: object) -> None:
    """Replace the field at a dotted path, or take it out."""
    whole = json.loads(file.read_text())
    target = whole
    *way, last = path.split(".")
    for step in way:
        target = target[step]
    if value is ABSENT:
        del target[last]
    else:
        target[last] = value
    file.write_text(json.dumps(whole))


def problem(named: str) -> str:
    with pytest.raises((ModelError, SettingsError)) as refused:
        find_targets(named)
    assert "\n" not in str(refused.value)
    return str(refused.value)


SCORES = "'classifier.scores' is missing; it is required: a name for each score, such as [\"alarm\""


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("classifier.labels", ["a", "b"], "; did you mean 'classifier.scores'?"),
        ("classifier.class_names", ["a"], "; did you mean 'classifier.scores'?"),
        ("classifier.threshold", 0.5, "; scores are sent as they are: compare them in your own"),
        ("classifier.window_seconds", 1, "; did you mean 'classifier.max_seconds'?"),
        ("classifier.sample_rate", 16000, "; did you mean 'sample_rate'?"),
        ("classifier.scores", "alarm", "allowed: a list of at least 1 name, one for each score"),
        ("classifier.scores", 3, "allowed: a list of at least 1 name, one for each score"),
        ("classifier.scores", ["a", "a"], "'classifier': two scores have the same name"),
        ("classifier.activation", "Softmax", 'sigmoid, softmax; did you mean "softmax"?'),
        ("classifier.file", "a/b.onnx", "allowed: text that is a name without a folder"),
        ("classifier", ["a"], "allowed: an object with activation, aggregate, file"),
        ("hop_seconds", 1, "; did you mean 'classifier.hop_seconds'?"),
        ("type", "classifier", "; did you mean 'kind'?"),
        ("license", "MIT", "; did you mean 'licence'?"),
        ("sampleRate", 16000, "; did you mean 'sample_rate'?"),
        ("sample_rate", ABSENT, "a classifier needs a sample_rate, beside 'classifier'"),
        ("name", "my model", "allowed: text that is a name without a folder, of letters"),
        ("kind", "Classifier", "; did you mean classifier?"),
        ("kind", "onnx", "; did you mean classifier?"),
        ("vad", {"engine": "webrtc"}, "; this is a configuration: call it config.json"),
    ],
)
def test_a_field_of_a_model_json_is_told_as_it_was_meant(
    folder: Path, path: str, value: object, says: str
) -> None:
    change(folder / "bands/model.json", path, value)
    (folder / "bands/config.json").unlink()
    assert problem("bands").startswith("bands/model.json: ")
    assert says in problem("bands")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ({}, ""),
        ({"labels": ["a"]}, ", and the field 'labels' is here"),
        ({"scores": ["a"]}, ", and the field 'scores' is here"),
        ({"classes": ["a"]}, ", and the field 'classes' is here"),
    ],
)
def test_scores_that_are_missing_are_looked_for(
    folder: Path, given: dict[str, object], hint: str
) -> None:
    change(folder / "bands/model.json", "classifier.scores", ABSENT)
    for name, value in given.items():
        change(folder / "bands/model.json", name, value)
    said = problem("bands/model.json")
    assert SCORES in said
    assert said.endswith(f'"other"]{hint}')


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("model.path", "model.onnx", "'model.path' is \"model.onnx\", a file; allowed: its folder"),
        ("model.path", "bands", 'and there is no folder FOLDER/bands/bands; allowed: a folder'),
        ("model.type", "Classifier", "'model.type' is \"Classifier\"; did you mean classifier?"),
        ("model.type", "onnx", "'model.type' is \"onnx\"; did you mean classifier?"),
        ("model.type", ABSENT, "'model.type' is \"moonshine\"; did you mean \"classifier\"?"),
        ("model.class", "own:Own", "; did you mean 'model.type'?"),
        ("model.hertz", 3000, "; arguments of a class of your own are in 'model.options'"),
        ("model.scores", ["a"], "; arguments of a class of your own are in 'model.options'"),
        ("model.option", {}, "; did you mean 'options'?"),
        ("model.chunk_seconds", 2, "; did you mean 'simple.chunk_seconds'?"),
        ("chunk_seconds", 2, "; did you mean 'simple.chunk_seconds'?"),
        ("type", "classifier", "; did you mean 'model.type'?"),
        ("classifier", {}, "; this describes a model: call it model.json, and name its folder"),
        ("vad", False, "; without voice detection, clients connect to /api/v1/simple"),
    ],
)  # fmt: skip
def test_a_field_of_the_configuration_is_told_as_it_was_meant(
    folder: Path, path: str, value: object, says: str
) -> None:
    change(folder / "bands/config.json", path, value)
    for named in ("bands/config.json", "bands"):  # the folder has both files
        said = problem(named)
        assert said.startswith("bands/config.json: ")
        assert says.replace("FOLDER", os.path.realpath(folder)) in said.replace(
            str(folder), os.path.realpath(folder)
        )


def test_the_model_of_a_folder_is_checked_as_its_configuration_serves_it(folder: Path) -> None:
    change(folder / "bands/config.json", "model.name", "mine")
    assert [target.spec.name for target in find_targets("bands")] == ["mine"]
    change(folder / "bands/config.json", "model", {"type": "standin"})
    assert [target.spec.name for target in find_targets("bands")] == ["bands"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("", "PATH is empty; give a folder, a file or a module:Class"),
        ("http://a.example/model.onnx", "is an address; download the file, and give its path"),
        ("*.onnx", "no file matches *.onnx in FOLDER"),
        ("bands/model.jsn", "did you mean bands/model.json?"),
        ("bandz", "bandz does not exist in FOLDER; did you mean bands?"),
        ("Moonshine-Tiny-EN", "there is no model 'Moonshine-Tiny-EN'; did you mean moonshine-tiny"),
        ("moonshine-tiny", "did you mean moonshine-tiny-en?"),
        ("Own", "there is no 'Own'; did you mean streamer models check own:Own?"),
        ("own Own", "did you mean streamer models check own:Own?"),
        ("own::Own", "did you mean streamer models check own:Own?"),
        ("sound.wav", "to run it: streamer models check MODEL --audio sound.wav"),
        ("my.yaml", "is no configuration: write one in JSON, config.json"),
        ("deep", "deep has no model.json and no config.json; did you mean deep/bands?"),
        (
            "other",
            "if other/server.json describes the model, call it model.json; a configuration: ",
        ),
        ("weights", "weights/a.pt holds weights that only its own program can read: export it"),
        ("nothing", "an ONNX file needs a model.json, a class a config.json: see "),
    ],
)
def test_a_path_is_told_as_it_was_meant(folder: Path, named: str, says: str) -> None:
    shutil.copytree(BANDS, folder / "deep/bands")
    for name in ("sound.wav", "my.yaml", "other/server.json", "weights/a.pt", "nothing/a"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    found = problem(named).replace(os.path.realpath(folder), "FOLDER")
    assert says in found.replace(str(folder), "FOLDER")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("named", ["…", "***", "-"])
def test_signs_are_not_the_name_of_a_class(named: str) -> None:
    assert named in problem(named)


def test_commands_that_are_proposed_can_be_pasted(folder: Path) -> None:
    mine = folder / "my models"
    mine.mkdir()
    (mine / "own.py").write_text(OWN)
    (mine / "a talk.wav").touch()
    assert "cd 'my models' && streamer models check own:Own" in problem("my models")
    assert problem("my models/a talk.wav").endswith("MODEL --audio 'my models/a talk.wav'")
    (mine / "net.onnx").touch()
    assert "; `streamer models check 'my models/net.onnx'` shows" in problem("my models")

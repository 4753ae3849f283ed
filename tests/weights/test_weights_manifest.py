"""Finding, loading and checking models."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import onnxruntime
import pytest

from streamer.weights import (
    BadManifest,
    FileState,
    MissingModel,
    ModelFolder,
    UnknownModel,
    check_files,
    find_model,
    known_models,
    load_manifest,
    manifest,
    models_dir,
    require,
    verify,
)
from streamer.weights.manifest_schema import HubSource, Tensor, WheelSource

FETCHED = ["moonshine-base-en", "moonshine-tiny-en", "silero-vad"]
SHIPPED = [*FETCHED, "wav2small"]
HUB = {"type": "hub", "repository": "someone/something", "revision": "main", "file": "a.bin"}
A_SECOND = {"scores": ["a"], "max_seconds": 1}
FETCH_TINY = "run `streamer models fetch tiny` (or set STREAMER_MODELS to the folder that holds it)"


def write(folder: Path, description: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_bytes(msgspec.json.encode(description))
    return folder


def changed(description: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Return a copy with the field at a dotted path replaced."""
    copy: Any = msgspec.json.decode(msgspec.json.encode(description))
    target = copy
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        target = target[step]
    target[last] = value
    assert isinstance(copy, dict)
    return copy


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("colour", "red", "unknown field 'colour'; allowed: classifier, description"),
        ("source.colour", "red", "unknown field `colour`"),
        ("source.type", "torrent", "Invalid value 'torrent'"),
        ("source.package", "--index-url", "$.source.package"),
        ("files.0.path", "../tiny.onnx", "'files[0].path' is \"../tiny.onnx\"; allowed: text that"),
        ("files.0.path", "words.bin", "two files have the same path"),
        ("files.0.path", "model.json", "cannot be one of the files"),
        ("files.0.path", "a.onnx\n", "'files[0].path' is \"a.onnx\\n\"; allowed: text that"),
        ("files.0.sha256", "ABC", "'files[0].sha256' is \"ABC\""),
        ("files.0.bytes", -1, "'files[0].bytes' is -1; allowed: a whole number at least 0"),
        ("files.0.role", "toy", "'files[0].role' is \"toy\"; allowed: one of licence, sample"),
        ("files.0.member", None, "needs its member"),
        ("tensors", {"no.onnx": {"inputs": [], "outputs": []}}, "not among the files"),
        ("name", "huge", "its name is 'huge'"),
        (
            "source",
            {"type": "hub", "repository": "../x", "revision": "main", "file": "a"},
            "repository",
        ),
        ("classifier", {"scores": []}, "'classifier.scores' is []; allowed: a list of at least 1"),
        ("classifier", {"scores": ["a", "a"]}, "two scores have the same name"),
        ("classifier", {"scores": ["a"]}, "a classifier needs a sample_rate"),
        (
            "classifier",
            {"scores": ["a"], "activation": "relu"},
            'is "relu"; allowed: one of none, sigmoid',
        ),
        (
            "classifier",
            {"scores": ["a"], "file": "../m.onnx"},
            'is "../m.onnx"',
        ),
        (
            "classifier",
            {"scores": ["a"], "foo": 1},
            "unknown field 'classifier.foo'",
        ),
        ("classifier", {}, "'classifier.scores' is missing; it is required"),
        ("sample_rate", 0.5, "'sample_rate' is 0.5; allowed: a whole number"),
        ("classifier", {"scores": ["a"], "hop_seconds": 1}, "hop_seconds is 1; allowed: null"),
        (
            "classifier",
            {"scores": ["a"], "max_seconds": 1, "hop_seconds": 2},
            "at most max_seconds",
        ),
        ("classifier", {"scores": ["a"], "max_seconds": 1, "min_seconds": 2}, "min_seconds is 2"),
    ],
)
def test_a_bad_manifest_is_refused_with_its_path_and_reason(
    tmp_path: Path, description: dict[str, Any], path: str, value: object, complaint: str
) -> None:
    folder = write(tmp_path / "tiny", changed(description, path, value))
    with pytest.raises(BadManifest, match=re.escape(complaint)) as caught:
        load_manifest(folder)
    assert str(folder / "model.json") in str(caught.value)


def test_what_is_no_json_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadManifest, match="does not exist"):
        load_manifest(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(BadManifest, match="is not JSON: Expecting property name"):
        load_manifest(tmp_path)


def test_shipped_manifests_are_known_where_no_model_ever_was(models: Path) -> None:
    assert not models.exists()
    assert known_models() == SHIPPED
    for name in SHIPPED:
        assert find_model(name).folder == models / name


def test_an_own_folder_wins_over_a_shipped_manifest(
    models: Path, description: dict[str, Any]
) -> None:
    write(models / "silero-vad", {**description, "name": "silero-vad"})
    assert find_model("silero-vad").manifest.kind == "classifier"
    assert known_models() == SHIPPED


def test_an_own_model_is_found_beside_the_shipped_ones(model: ModelFolder) -> None:
    assert known_models() == sorted([*SHIPPED, "tiny"])
    assert model.manifest.bytes == 40000 + 5 + 400 + 15


@pytest.mark.parametrize("name", ["nope", "", "..", "../models/tiny", "tiny/"])
def test_an_unknown_name_raises_the_names_that_exist(model: ModelFolder, name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        require(name)
    assert str(caught.value) == (
        f"unknown model {name!r}: there are moonshine-base-en, moonshine-tiny-en, silero-vad, "
        f"tiny, wav2small{'; did you mean tiny?' if name == 'tiny/' else ''}"
    )


def test_models_dir_without_the_variable_is_the_checkouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMER_MODELS")
    assert models_dir() == Path(__file__).resolve().parents[2] / "models"
    monkeypatch.setenv("STREAMER_MODELS", "")
    assert models_dir() == Path(__file__).resolve().parents[2] / "models"


def test_models_dir_is_absolute_and_knows_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("STREAMER_MODELS", "here")
    assert models_dir() == tmp_path / "here"
    monkeypatch.setenv("STREAMER_MODELS", "~/there")
    assert models_dir() == tmp_path / "me" / "there"


def test_an_installed_program_has_its_manifests_inside_and_its_weights_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, description: dict[str, Any]
) -> None:
    package = tmp_path / "site-packages" / "streamer" / "weights"
    write(package / "shipped" / "tiny", description)
    (tmp_path / "site-packages" / "models").mkdir()  # someone else's package
    monkeypatch.setattr(manifest, "_PACKAGE", package)
    monkeypatch.delenv("STREAMER_MODELS")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert known_models() == ["tiny"]
    assert find_model("tiny").folder == tmp_path / "me/.local/share/streamer/models/tiny"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert find_model("tiny").folder == tmp_path / "data/streamer/models/tiny"


def test_check_tells_the_state_of_every_file(complete: ModelFolder) -> None:
    assert set(check_files(complete).values()) == {FileState.OK}
    folder = complete.folder
    (folder / "tiny.onnx").write_bytes(b"WEIGHTS " * 5000)
    (folder / "words.bin").write_bytes(b"a b")
    (folder / "hello.wav").unlink()
    (folder / "LICENSE").unlink()
    (folder / "LICENSE").mkdir()
    states = {
        "tiny.onnx": FileState.WRONG_CHECKSUM,
        "words.bin": FileState.WRONG_SIZE,
        "hello.wav": FileState.MISSING,
        "LICENSE": FileState.MISSING,
    }
    assert check_files(complete) == states
    assert verify("tiny") == states
    assert check_files(complete, hashes=False) == {**states, "tiny.onnx": FileState.OK}


def test_check_tells_its_progress_in_bytes(complete: ModelFolder) -> None:
    counts: list[int] = []
    check_files(complete, advance=counts.append)
    assert sum(counts) == complete.manifest.bytes


def test_require_gives_the_folder_of_a_complete_model(complete: ModelFolder, models: Path) -> None:
    assert require("tiny") == models / "tiny"


def test_require_says_how_to_get_a_model_that_is_not_there(
    model: ModelFolder, models: Path
) -> None:
    with pytest.raises(MissingModel) as caught:
        require("tiny")
    assert str(caught.value) == f"model 'tiny' is not in {models}: {FETCH_TINY}"


def test_require_names_what_is_wrong_with_an_incomplete_model(
    complete: ModelFolder, models: Path
) -> None:
    (complete.folder / "words.bin").write_bytes(b"")
    with pytest.raises(MissingModel) as caught:
        require("tiny")
    problem = f"model 'tiny' is incomplete in {models} (words.bin: wrong size)"
    assert str(caught.value) == f"{problem}: {FETCH_TINY}"


def test_require_is_quick_because_it_reads_no_content(complete: ModelFolder) -> None:
    (complete.folder / "tiny.onnx").write_bytes(b"WEIGHTS " * 5000)
    assert require("tiny") == complete.folder


def test_require_does_without_samples_and_licence(complete: ModelFolder) -> None:
    (complete.folder / "hello.wav").unlink()
    (complete.folder / "LICENSE").unlink()
    assert require("tiny") == complete.folder


def test_require_promises_no_fetch_for_a_model_without_a_source(
    models: Path, description: dict[str, Any]
) -> None:
    write(models / "tiny", changed(description, "source", None))
    with pytest.raises(MissingModel, match="put its files there") as caught:
        require("tiny")
    assert "streamer models" not in str(caught.value)


def test_the_package_does_not_load_what_a_server_needs() -> None:
    heavy = ("numpy", "onnxruntime", "starlette", "uvicorn")
    code = (
        f"import streamer.cli.models, sys; sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", FETCHED)
def test_shipped_manifests_are_whole(name: str) -> None:
    shipped = find_model(name).manifest
    assert isinstance(shipped.source, WheelSource)
    assert shipped.source.wheel.startswith(
        f"{shipped.source.package.replace('-', '_')}-{shipped.source.version}-py3-none-"
    )
    assert shipped.source.wheel.endswith(f"-{shipped.source.platform}.whl")
    assert shipped.licence == "MIT"
    assert shipped.sample_rate == 16000
    networks = {f.path for f in shipped.files if f.path.endswith((".ort", ".onnx"))}
    assert shipped.tensors.keys() == networks
    assert [f.path for f in shipped.files if f.role == "licence"] == ["LICENSE"]


def test_the_affect_model_says_what_it_is() -> None:
    shipped = find_model("wav2small").manifest
    assert isinstance(shipped.source, HubSource)
    assert shipped.source.repository == "audeering/wav2small"
    assert shipped.licence == "CC BY-NC-SA 4.0"
    assert "research only" in shipped.description
    assert "perceived" in shipped.description
    assert shipped.classifier is not None
    assert shipped.classifier.scores == ("arousal", "dominance", "valence")
    licence = (manifest.shipped_dir() / "wav2small" / "LICENSE").read_text()
    assert "Attribution-NonCommercial-ShareAlike 4.0" in licence


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_licences_are_those_of_the_weights(name: str) -> None:
    shipped = ModelFolder(
        load_manifest(manifest.shipped_dir() / name), manifest.shipped_dir() / name
    )
    assert check_files(shipped)["LICENSE"] is FileState.OK


@pytest.mark.parametrize("name", FETCHED)
def test_described_tensors_are_those_of_the_networks(name: str) -> None:
    folder = manifest.shipped_dir() / name
    described = load_manifest(folder).tensors
    assert all((folder / path).is_file() for path in described), (
        f"run `streamer models fetch {name}`"
    )
    for path, tensors in described.items():
        session = onnxruntime.InferenceSession(folder / path, providers=["CPUExecutionProvider"])
        assert_described(tensors.inputs, session.get_inputs())
        assert_described(tensors.outputs, session.get_outputs())


def assert_described(described: tuple[Tensor, ...], actual: list[Any]) -> None:
    dtypes = {"float32": "float", "int64": "int64", "bool": "bool"}
    used = set()
    for node in actual:
        matches = [tensor for tensor in described if fnmatch.fnmatchcase(node.name, tensor.name)]
        assert len(matches) == 1, node.name
        tensor = matches[0]
        used.add(tensor.name)
        assert node.type == f"tensor({dtypes[tensor.dtype]})"
        assert len(tensor.shape) == len(node.shape)
        for said, found in zip(tensor.shape, node.shape, strict=True):
            assert said == found or isinstance(found, str), (node.name, tensor.shape, node.shape)
    assert used == {tensor.name for tensor in described}

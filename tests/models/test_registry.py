"""One entry makes a built-in model, and what the entries say is so."""

import importlib
import io
import json
import os
import pickle
import subprocess
import sys
import wave
from collections.abc import Generator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from streamer import Model
from streamer.check.target import CannotCheck, find_targets
from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.config.sources import SettingsError
from streamer.models import registry
from streamer.models.registry import BUILT_INS, BuiltIn, ModelSpec, make_model
from streamer.models.resolve import model_specs
from streamer.vad.factory import SILERO_FOLDER
from streamer.weights.manifest import find_model, shipped_models
from tests.end_to_end.http.posting import post
from tools.harness.process import Reply, Server
from tools.harness.sounds import encode
from tools.harness.streams import events_of, stream_audio

CHIME = """
from streamer import Model


class Chime(Model):
    def __init__(self, folder):
        self.tone = (folder / "tone.txt").read_text()

    def infer(self, samples):
        return {"text": self.tone, "samples": len(samples)}
"""

ENTRY = """BuiltIn(
    type="chime",
    class_path="chimes:Chime",
    manifest_kind="bell",
    default_folder="big-ben",
    language_names=("la", "latin"),
)"""
"""The only thing that the server is told of the new model."""

SITE = f"""
import streamer.models.registry as registry
from streamer.models.registry import BuiltIn

registry.BUILT_INS += ({ENTRY},)
"""
"""Python runs this in every process that it starts: the server's and the workers'."""

MANIFEST = {
    "name": "big-ben",
    "kind": "bell",
    "files": [{"path": "tone.txt", "sha256": 64 * "0", "bytes": 4}],
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the new model's code, and its weights among all models."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/chimes.py").write_text(CHIME)
    (tmp_path / "site/sitecustomize.py").write_text(SITE)
    (tmp_path / "models/big-ben").mkdir(parents=True)
    (tmp_path / "models/big-ben/tone.txt").write_text("bong")
    (tmp_path / "models/big-ben/model.json").write_text(json.dumps(MANIFEST))
    monkeypatch.setenv("STREAMER_MODELS", str(tmp_path / "models"))
    return tmp_path


@pytest.fixture
def chime(home: Path, monkeypatch: pytest.MonkeyPatch) -> BuiltIn:
    """The new entry, in this process."""
    entry: BuiltIn = eval(ENTRY)
    monkeypatch.setattr(sys, "path", [str(home / "site"), *sys.path])
    monkeypatch.setattr(registry, "BUILT_INS", (*BUILT_INS, entry))
    return entry


@pytest.fixture
def server(home: Path) -> Generator[Server]:
    (home / "server").mkdir()
    paths = [str(home / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    config = {"model": {"type": "chime"}, "vad": {"engine": "webrtc"}}
    server = Server(home / "server", config, env={"PYTHONPATH": os.pathsep.join(paths)})
    yield server
    server.stop()


async def test_a_new_entry_is_all_that_serving_it_takes(server: Server) -> None:
    server.wait_ready()
    hum = 0.5 * np.sin(np.arange(16_000 * 2) / 10)
    events = await stream_audio(server, encode(hum, 16_000, 16), "simple")
    assert events[0]["model"] == "big-ben"
    assert [segment["text"] for segment in events_of(events, "segment")] == ["bong", "bong"]
    reply = transcription(server, language="la")
    assert reply.status == 200
    assert reply.json()["language"] == "latin"
    assert transcription(server).json()["language"] == "latin"
    reply = transcription(server, language="fr")
    assert reply.status == 400
    assert reply.json()["error"]["message"] == (
        "'language' is \"fr\"; allowed with this model: la, auto"
    )


def transcription(server: Server, **fields: str) -> Reply:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(32_000))
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in {"response_format": "verbose_json", **fields}.items()
    ]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = b"".join([*parts, head, file.getvalue(), b"\r\n--x--\r\n"])
    return post(server, "/v1/audio/transcriptions", body, "multipart/form-data; boundary=x")


def test_a_new_entry_is_found_by_its_type(chime: BuiltIn, home: Path) -> None:
    (spec,) = model_specs(Config(model=ModelConfig(type="chime")), home)
    assert (spec.name, spec.folder) == ("big-ben", str(home / "models/big-ben"))
    output = make_model(pickle.loads(pickle.dumps(spec))).infer(np.zeros(3, np.float32))
    assert output == {"text": "bong", "samples": 3}


def test_a_new_entry_is_found_by_its_kind(chime: BuiltIn, home: Path) -> None:
    for named in ("big-ben", str(home / "models/big-ben")):
        (target,) = find_targets(named)
        assert target.spec.type == "chime"


def test_a_new_entry_is_offered_where_another_is_wrong(chime: BuiltIn, home: Path) -> None:
    with pytest.raises(SettingsError, match=r"'model\.type' is \"gong\"; .* frames, chime, or the"):
        model_specs(Config(model=ModelConfig(type="gong")), home)
    (home / "models/big-ben/model.json").write_text(json.dumps({**MANIFEST, "kind": "gong"}))
    with pytest.raises(CannotCheck, match=r"'kind' is 'gong'; allowed: one of .*, silero, bell"):
        find_targets(str(home / "models/big-ben"))
    with pytest.raises(SettingsError, match=r"kind gong; allowed with model\.type chime: .* bell$"):
        model_specs(Config(model=ModelConfig(type="chime")), home)


def test_without_its_entry_it_is_unknown(home: Path) -> None:
    with pytest.raises(SettingsError, match="allowed: one of moonshine, standin, classifier, fra"):
        model_specs(Config(model=ModelConfig(type="chime")), home)
    assert registry.language_names("chime") == registry.language_names("own.module:Class") == ()


@pytest.mark.parametrize(
    "given", ["alarm", "alarm.Alarm", "alarm.py", "alarm.py:Alarm", "./alarm.py:Alarm"]
)
def test_a_type_that_is_written_in_another_way_is_told_in_the_right_one(
    tmp_path: Path, given: str
) -> None:
    source = "from streamer import Model\n\n\nclass Alarm(Model):\n    pass\n"
    (tmp_path / "alarm.py").write_text(source)
    with pytest.raises(SettingsError) as refused:
        model_specs(Config(model=ModelConfig(type=given)), tmp_path)
    assert str(refused.value) == f"'model.type' is \"{given}\"; did you mean alarm:Alarm?"


def test_an_entry_may_need_a_path(
    chime: BuiltIn, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homeless = BuiltIn(type="chime", class_path=chime.class_path, needs_path=True)
    monkeypatch.setattr(registry, "BUILT_INS", (homeless,))
    with pytest.raises(SettingsError, match=r"'model\.path' is missing; type chime needs one"):
        model_specs(Config(model=ModelConfig(type="chime")), home)
    (spec,) = model_specs(Config(model=ModelConfig(type="chime", path="models/big-ben")), home)
    assert spec.folder == str(home / "models/big-ben")


@pytest.mark.parametrize("entry", BUILT_INS, ids=lambda entry: entry.type)
def test_what_an_entry_says_is_so(entry: BuiltIn) -> None:
    module, _, name = entry.class_path.partition(":")
    made = getattr(importlib.import_module(module), name)
    assert issubclass(made, Model)
    assert made.languages == entry.language_names[:1]
    assert not (entry.needs_path and entry.default_folder)
    for cores in (1, 2):
        for folder in filter(None, registry.default_folders(entry, cores)):
            assert folder in shipped_models()
            assert find_model(folder).manifest.kind == entry.manifest_kind


@pytest.mark.parametrize(
    ("cores", "folder", "interim_folder"),
    [
        (1, "moonshine-tiny-en", None),
        (2, "moonshine-base-en", "moonshine-tiny-en"),
        (8, "moonshine-base-en", "moonshine-tiny-en"),
    ],
)
def test_the_default_depends_on_the_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, folder: str, interim_folder: str | None
) -> None:
    monkeypatch.setattr("streamer.models.resolve.usable_cores", lambda: cores)
    (spec,) = model_specs(Config(), Path())
    assert spec.name == folder
    found = spec.interim_folder and Path(spec.interim_folder).name
    assert (Path(str(spec.folder)).name, found) == (folder, interim_folder)
    (spec,) = model_specs(Config(model=ModelConfig(path="moonshine-base-en")), Path())
    assert spec.interim_folder is None


def test_types_and_kinds_are_unique() -> None:
    assert len({entry.type for entry in BUILT_INS}) == len(BUILT_INS)
    assert len(set(registry.manifest_kinds())) == len(registry.manifest_kinds())


def test_the_lower_packages_agree_with_the_entries() -> None:
    """`config` and `weights` must not import `models`: what they repeat is compared here."""
    for name in shipped_models():
        assert registry.built_in_for_kind(find_model(name).manifest.kind), name
    assert find_model(SILERO_FOLDER).manifest.kind in registry.manifest_kinds()
    default = registry.built_in(Config().model.type)
    assert default is not None
    assert default.type == ModelConfig().type
    assert Config().model.path is None


def test_importing_it_is_cheap() -> None:
    """A worker process imports it before it can say that its model cannot be loaded."""
    heavy = ("numpy", "onnxruntime", "streamer.weights", "streamer.config", "streamer.onnx")
    code = f"import sys, streamer.models.registry; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_spec_survives_its_way_to_the_worker() -> None:
    spec = ModelSpec("a:B", "b", "/c", {"d": 1}, ("/e",))
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert msgspec.structs.asdict(spec)["options"] == {"d": 1}


def test_clients_see_the_name_in_the_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "v3"
    folder.mkdir()
    manifest = {"name": "alarm", "kind": "classifier", "sample_rate": 16_000}
    (folder / "model.json").write_text(json.dumps(manifest))
    for path, name, seen in (("v3", None, "alarm"), ("v3", "own", "own")):
        config = Config(model=ModelConfig(type="classifier", path=path, name=name))
        assert model_specs(config, tmp_path)[0].name == seen
    (folder / "model.json").write_text("not for this server")
    config = Config(model=ModelConfig(type="own:Model", path="v3"))
    assert model_specs(config, tmp_path)[0].name == "v3"


@pytest.mark.parametrize("name", ["signal", "random"])
def test_a_file_with_the_name_of_a_module_of_python_is_told(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text(CHIME)
    spec = ModelSpec(f"{name}:Chime", "chime", None, search_path=(str(tmp_path),))
    with pytest.raises(registry.ModelTypeError, match="give the file another name") as refused:
        make_model(spec)
    assert f"{file} is not used" in str(refused.value)

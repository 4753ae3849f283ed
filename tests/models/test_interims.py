"""A second model in the same worker makes the interims, and nothing else."""

import json
import re
from collections.abc import Generator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.config.sources import SettingsError
from streamer.model import Model, SegmentRequest
from streamer.models.interims import ModelWithInterims
from streamer.models.registry import ModelTypeError, make_model
from streamer.models.resolve import model_specs
from streamer.onnx.graph import Floats
from tools.harness.process import Server
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio

OWN = """
from streamer import Model
from streamer.model import StatefulModel

class Named(Model):
    def __init__(self, folder, prefix=""):
        self.label = prefix + folder.name
        self.sample_rate = 8000 if (folder / "slow").exists() else 16000

    def infer(self, samples):
        return {"text": self.label}

class Counting(StatefulModel):
    def __init__(self, folder):
        pass

    def infer_next(self, samples, state):
        return {"text": str(state)}, (state or 0) + 1
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A model class, and three folders for it."""
    (tmp_path / "named.py").write_text(OWN)
    for name in ("large", "small", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "other/slow").touch()
    return tmp_path


@pytest.fixture
def server(home: Path) -> Generator[Server]:
    model = {
        "type": "named:Named",
        "path": "large",
        "interim_model": "small",
        "options": {"prefix": "the "},
    }
    settings = {
        "model": model,
        "interim": {"interval_ms": 100, "growth": 0},
        # An interim in a pause may be the final, and is of the model for finals.
        "inference": {"early_finals": False},
    }
    server = Server(home, settings)
    yield server
    server.stop()


async def test_interims_are_the_seconds_and_finals_the_firsts(server: Server) -> None:
    server.wait_ready()
    events = await stream_audio(server, beckett(), sizes=(3_200,), interim_results=True)
    interims, segments = events_of(events, "interim"), events_of(events, "segment")
    assert {event["text"] for event in interims} == {"the small"}
    assert {event["text"] for event in segments} == {"the large"}
    assert interims
    assert events[0]["model"] == "large"


def specs(home: Path, **model: str) -> None:
    settings = msgspec.convert({"type": "named:Named", **model}, ModelConfig)
    (spec,) = model_specs(Config(model=settings), home)
    make_model(spec)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"interim_model": "large"}, '"large", the model that makes the finals, too; allowed: an'),
        ({"interim_model": "./large/../large"}, "the model that makes the finals, too; allowed: "),
        ({"interim_model": "tiny"}, '"tiny", and there is no folder .*tiny; allowed: a folder'),
        ({"interim_model": "named.py"}, '"named.py", a file; allowed: its folder'),
        ({"interim_model": "x" * 300}, '"xx.*: File name too long; allowed: a folder, or a name'),
        (
            {"type": "moonshine", "path": "moonshine-base-en", "interim_model": "silero-vad"},
            "a model of the kind silero; allowed with model.type moonshine: one of the kind moon",
        ),
    ],
)
def test_a_second_model_that_cannot_be_is_told(
    home: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=r"'model\.interim_model' is .*" + message):
        specs(home, **({"path": "large"} | settings))


def test_a_type_without_a_folder_has_no_second_model(home: Path) -> None:
    with pytest.raises(SettingsError, match=r"a model of type standin has no folder; allowed: nu"):
        specs(home, type="standin", interim_model="small")


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "wav"), ("sample_rate", 8_000), ("language", "fr")]
)
def test_what_the_folders_say_must_agree(home: Path, key: str, value: object) -> None:
    told = {"name": "x", "kind": "moonshine", "sample_rate": 16_000, "language": "en"}
    (home / "large/model.json").write_text(json.dumps({**told, "name": "large"}))
    (home / "small/model.json").write_text(json.dumps({**told, "name": "small"}))
    pair = ModelConfig(type="moonshine", path="large", interim_model="small")
    model_specs(Config(model=pair), home)
    (home / "small/model.json").write_text(json.dumps({**told, "name": "small", key: value}))
    shown = re.escape(json.dumps(value))
    with pytest.raises(SettingsError, match=f"whose {key} is {shown}; allowed: a model with the"):
        model_specs(Config(model=pair), home)


def test_a_class_of_ones_own_may_have_another_kind_of_model_json(home: Path) -> None:
    for name in ("large", "small"):
        (home / name / "model.json").write_text('{"foo": 1}')
    specs(home, path="large", interim_model="small")


@pytest.mark.parametrize("setting", ["path", "interim_model"])
@pytest.mark.parametrize("model_type", ["named:Named", "moonshine"])
def test_an_empty_name_is_no_folder(home: Path, model_type: str, setting: str) -> None:
    others = {"path": "large"} if setting == "interim_model" else {}
    message = rf"'model\.{setting}' is \"\"; allowed: a folder, .*, or null"
    with pytest.raises(SettingsError, match=message):
        specs(home, type=model_type, **others, **{setting: ""})


def test_what_only_the_models_say_must_agree(home: Path) -> None:
    message = r"model\.interim_model is .*other: its sample_rate is 8000 Hz; allowed: 16000 Hz"
    with pytest.raises(ModelTypeError, match=message):
        specs(home, path="large", interim_model="other")
    with pytest.raises(ModelTypeError, match="a model with a state has no interims by another"):
        specs(home, type="named:Counting", path="large", interim_model="small")


class Asking(Model):
    """Returns whether its result is still needed."""

    def infer(self, samples: Floats) -> dict[str, object]:
        return {"unwanted": self.unwanted()}


def test_both_models_know_when_their_result_is_not_needed() -> None:
    pair = ModelWithInterims(Asking(), Asking())
    audio = np.zeros(10, np.float32)
    pair.unwanted = lambda: True
    for interim in (False, True):
        request = SegmentRequest(interim=interim)
        assert pair.infer_request(audio, request) == {"unwanted": True}

"""A person's own model, in a file beside the configuration."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.sounds import encode
from tools.harness.streams import events_of, stream_audio

LOUDNESS = """
import numpy as np

from streamer import Model


class Loudness(Model):
    sample_rate = 8_000

    def __init__(self, folder, full_scale):
        self._unit = (folder / "unit.txt").read_text()
        self._full_scale = full_scale

    def infer(self, samples):
        rms = np.sqrt(np.mean(np.square(samples)))
        return {"loudness": self._full_scale * rms, "unit": self._unit, "count": len(samples)}
"""


async def test_a_model_of_ones_own(launch: Launch, tmp_path: Path) -> None:
    home = tmp_path / "not the working directory"
    (home / "my_models").mkdir(parents=True)
    (home / "my_models" / "loudness.py").write_text(LOUDNESS)
    (home / "weights").mkdir()
    (home / "weights" / "unit.txt").write_text("millivolt")
    model = {
        "type": "my_models.loudness:Loudness",
        "name": "meter",
        "path": "weights",
        "options": {"full_scale": 1_000},
    }
    (home / "streamer.json").write_text(json.dumps({"model": model}))
    server = launch(None, "--config", str(home / "streamer.json"))
    hum = 0.5 * np.sin(2 * np.pi * 100 * np.arange(48_000 * 2) / 48_000)
    events = await stream_audio(server, encode(hum, 48_000, 24), "simple", model="meter")
    assert events[0]["model"] == "meter"
    assert events[0]["sample_rate"] == 8_000
    first, second = events_of(events, "segment")
    for segment in (first, second):
        assert segment["count"] == 8_000
        assert segment["unit"] == "millivolt"
        assert segment["loudness"] == pytest.approx(1_000 * 0.5 / np.sqrt(2), rel=0.01)


LATE = """
from streamer import Model

class Late(Model):
    def infer(self, samples):
        return {"tones": {440}} if samples.any() else {}
"""


async def test_a_wrong_result_is_logged_with_its_place(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(LATE)
    text = {"STREAMER_TELEMETRY__LOG_FORMAT": "text"}
    server = launch({"model": {"type": "late:Late"}, "vad": {"engine": "webrtc"}}, env=text)
    events = await stream_audio(server, encode(np.full(8_000, 0.5), 8_000, 16), "simple")
    (error,) = events_of(events, "error")
    assert error["code"] == "inference_failed"
    assert "infer returned set in 'tones', which JSON cannot represent" in error["message"]
    assert "late.py" not in error["message"]  # clients do not get the paths of the server
    assert f"is loaded and warm: late:Late of {tmp_path / 'late.py'}" in server.log()
    (line,) = [line for line in server.log().splitlines() if "inference_failed" in line]
    assert f"({tmp_path / 'late.py'}:5 in infer)" in line
    assert "makes a list of it (" in line

"""What is announced when the server is ready can be done, in any folder, with any model."""

import shlex
import subprocess
from pathlib import Path

import pytest

from streamer.cli.welcome import ServedModel, WorkersReady, welcome
from streamer.weights.sample import sample_recording
from tests.end_to_end.conftest import Launch

RECORDING = Path(__file__).parents[3] / "models/moonshine-tiny-en/beckett.wav"
SOUNDS = """
from streamer import Model

class Loudest(Model):
    def infer(self, samples):
        return {"most": float(abs(samples).max())}

class Words(Loudest):
    returns_words = True
"""


def commands(announced: str) -> list[str]:
    """The lines to try that are commands."""
    (_, rest) = announced.split("in any folder:\n")
    lines = rest.split("Stop with Ctrl-C.")[0].splitlines()
    return [line.strip() for line in lines if "streamer-client" in line]


@pytest.mark.parametrize("folder", ["here", "a folder with spaces"])
def test_the_commands_for_a_model_of_ones_own_work_in_another_folder(
    launch: Launch, tmp_path: Path, folder: str
) -> None:
    home, elsewhere = tmp_path / folder, tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (home / "sounds.py").write_text(SOUNDS)
    (home / "my.json").write_text(
        '{"models": [{"type": "sounds:Loudest"}, {"type": "sounds:Words", "name": "my words"}],'
        ' "simple": {"chunk_seconds": 2}, "vad": {"engine": "webrtc"}}'
    )
    text = {"STREAMER_TELEMETRY__LOG_FORMAT": "text"}
    log = launch(None, "--config", str(home / "my.json"), env=text).log()
    assert "if Loudest is about speech" in log
    assert "if it is about other sounds (everything, in chunks of 2 s)" in log
    segmented, simple, words = commands(log)
    assert "/api/v1/segmented" in segmented
    assert "/api/v1/simple" in simple
    assert "--interim-results" in words
    assert "--model 'my words'" in words
    for command in (segmented, simple, words.replace("--real-time", "")):
        arguments = [RECORDING if a == "RECORDING" else a for a in shlex.split(command)]
        run = subprocess.run(
            arguments, cwd=elsewhere, capture_output=True, text=True, timeout=60, check=False
        )
        assert run.returncode == 0, run.stderr


def test_a_model_without_text_is_tried_in_a_browser_too_as_the_page_names_it() -> None:
    models = [ServedModel("alarm", transcribes=False), ServedModel("dog", transcribes=False)]
    text = welcome("http://localhost:80", models, WorkersReady(2), 1.0, needs_token=False)
    lines = [line.strip() for line in text.splitlines() if "or in a browser" in line]
    assert lines == [
        "or in a browser: http://localhost:80/",
        "or in a browser: http://localhost:80/, Advanced, Equal chunks",
        "or in a browser: http://localhost:80/, Model: dog",
        "or in a browser: http://localhost:80/, Model: dog, Advanced, Equal chunks",
    ]
    page = (RECORDING.parents[2] / "streamer/web/index.html").read_text()
    for label in ("<summary>Advanced<", "<span>Equal chunks<", '<label for="model">Model<'):
        assert label in page
    transcriber = [ServedModel("m", transcribes=True)]
    assert "or in a browser" not in welcome(
        "http://a", transcriber, WorkersReady(2), 1.0, needs_token=False
    )


def test_a_transcriber_gets_the_recording_that_comes_with_it_by_its_whole_path() -> None:
    models = [ServedModel("m", transcribes=True)]
    text = welcome("https://[::1]:80", models, WorkersReady(2), 1.0, needs_token=True)
    (command,) = commands(text)
    program, *options, recording = shlex.split(command)
    assert "-a wss://[::1]:80/api/v1/segmented --token TOKEN" in " ".join(options)
    assert Path(program).is_absolute()
    assert recording == (str(sample_recording()) if sample_recording() else "RECORDING")
    assert "in a browser    https://[::1]:80/" in text


def test_the_first_line_names_the_model_that_makes_the_interims() -> None:
    models = [ServedModel("m", transcribes=True, interims_by="small"), ServedModel("n", True)]
    text = welcome("http://a", models, WorkersReady(2), 1.0, needs_token=False)
    assert text.splitlines()[0] == "Ready: m (interims: small), n in 2 worker processes."


def test_the_first_line_counts_what_runs_and_what_is_still_to_come() -> None:
    assert str(WorkersReady(2)) == "2 worker processes"
    assert str(WorkersReady(1, 0, 8)) == "1 worker process; 8 remote workers are still to come"
    assert str(WorkersReady(0, 1, 1)) == "1 remote worker; 1 remote worker is still to come"
    assert str(WorkersReady(2, 3)) == "2 worker processes and 3 remote workers"

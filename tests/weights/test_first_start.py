"""A server without its weights: on a terminal it asks, elsewhere it names the command."""

import hashlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.weights.conftest import METADATA, WHEEL
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, wait_until

ROOT = Path(__file__).parents[2]
BANDS = ROOT / "docs/examples/bands"
QUESTION = "Fetch now? [Y/n] "
COMMAND = "run `streamer --fetch`, which fetches what is missing and starts the server"


class Started:
    """A server that has been started, and what it shows.

    Args:
        arguments: Of `streamer`.
        terminal: Whether its standard streams are a terminal.
    """

    def __init__(self, arguments: list[str], *, terminal: bool) -> None:
        self.shown = ""
        if terminal:
            self._ours, theirs = pty.openpty()
            given = theirs
        else:
            self._ours, theirs = os.pipe()
            given = subprocess.DEVNULL
        command = [sys.executable, "-m", "streamer", *arguments]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=given, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)

    def shows(self, text: str) -> bool:
        """Read what there is; return whether the text has been shown."""
        while select.select([self._ours], [], [], 0)[0]:
            try:
                data = os.read(self._ours, 4096)
            except OSError:  # how a terminal says that the other end is closed
                break
            if not data:
                break
            self.shown += data.decode()
        return text in self.shown.replace("\r\n", "\n")

    def wait_for(self, text: str) -> None:
        """Wait until the text is shown."""
        ended = self.process.poll
        wait_until(lambda: self.shows(text) or ended() is not None, f"{text!r} in {self.shown}")
        assert self.shows(text), self.shown

    def type(self, text: str) -> None:
        """Type on the terminal."""
        os.write(self._ours, text.encode())

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(TIMEOUT_S)
        self.shows("")
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(TIMEOUT_S)
        os.close(self._ours)


Start = Callable[..., Started]


@pytest.fixture
def served(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, description: dict[str, Any]
) -> Path:
    """A configuration of a model whose weights are in a wheel; returns their folder."""
    weights = (BANDS / "model.onnx").read_bytes()
    wheel = tmp_path / "index/tiny_model-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/model.onnx", weights)
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    content = wheel.read_bytes()
    source = {**description["source"], "bytes": len(content)}
    source["sha256"] = hashlib.sha256(content).hexdigest()
    file = {"path": "model.onnx", "member": "tiny_model/model.onnx", "bytes": len(weights)}
    manifest = json.loads((BANDS / "model.json").read_text())
    manifest |= {"name": "tiny", "source": source}
    manifest["files"] = [{**file, "sha256": hashlib.sha256(weights).hexdigest()}]
    (models / "tiny").mkdir(parents=True)
    (models / "tiny/model.json").write_text(json.dumps(manifest))
    config = {
        "model": {"type": "classifier", "path": "tiny"},
        "vad": {"engine": "webrtc"},
        "server": {"port": free_port()},
        "inference": {"workers": 1},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")
    return models / "tiny"


@pytest.fixture
def start(served: Path, tmp_path: Path) -> Generator[Start]:
    """Start `streamer` with that configuration."""
    running: list[Started] = []

    def started(*flags: str, terminal: bool = True) -> Started:
        arguments = ["--config", str(tmp_path / "config.json"), *flags]
        running.append(Started(arguments, terminal=terminal))
        return running[-1]

    yield started
    for one in running:
        one.close()


@pytest.mark.parametrize("answer", ["\n", "Yes\n"])
def test_on_a_terminal_it_asks_and_fetches_and_serves(
    start: Start, served: Path, answer: str
) -> None:
    server = start()
    server.wait_for(QUESTION)
    assert f"Missing in {served.parent}: tiny, 0.0 MB to download." in server.shown
    assert not (served / "model.onnx").exists()
    server.type(answer)
    server.wait_for("Ready: tiny")
    assert "fetching tiny: tiny_model-1.0-py3-none-any.whl" in server.shown
    assert (served / "model.onnx").read_bytes() == (BANDS / "model.onnx").read_bytes()
    assert [path.name for path in served.parent.iterdir()] == ["tiny"]


@pytest.mark.parametrize("answer", ["n\n", "what?\n", "\x04"])
def test_without_a_yes_it_names_the_command(start: Start, served: Path, answer: str) -> None:
    server = start()
    server.wait_for(QUESTION)
    server.type(answer)
    assert server.end() == 2
    assert COMMAND in server.shown
    assert not (served / "model.onnx").exists()


def test_ctrl_c_is_a_no(start: Start, served: Path) -> None:
    server = start()
    server.wait_for(QUESTION)
    server.process.send_signal(signal.SIGINT)
    assert server.end() == 130
    assert "Traceback" not in server.shown
    assert not (served / "model.onnx").exists()


def test_elsewhere_one_line_names_the_command(start: Start, served: Path) -> None:
    server = start(terminal=False)
    assert server.end() == 2
    assert server.shown == (
        f"streamer: tiny (0.0 MB) is not in {served.parent}: {COMMAND}, or `streamer models fetch "
        "tiny` (or set STREAMER_MODELS to the folder of the models)\n"
    )
    assert not (served / "model.onnx").exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_with_the_option_it_does_not_ask(start: Start, served: Path, terminal: bool) -> None:
    server = start("--fetch", terminal=terminal)
    server.wait_for("Ready: tiny")
    assert QUESTION not in server.shown
    assert (served / "model.onnx").is_file()


def test_the_option_does_nothing_when_nothing_is_missing(start: Start, served: Path) -> None:
    (served / "model.onnx").write_bytes((BANDS / "model.onnx").read_bytes())
    server = start("--fetch", terminal=False)
    server.wait_for("Ready: tiny")
    assert "fetching" not in server.shown


def test_weights_that_cannot_be_fetched_are_one_line(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "models"))
    server = start("--fetch", terminal=False)
    assert server.end() == 2
    last = server.shown.splitlines()[-1]
    assert last.startswith("streamer: pip finds no tiny_model-1.0-py3-none-any.whl")


def test_a_folder_of_the_users_own_counts_before_a_known_model(
    start: Start, served: Path, tmp_path: Path
) -> None:
    """A `path` leads from the configuration file; then nothing is fetched."""
    own = tmp_path / "tiny"
    own.mkdir()
    for name in ("model.onnx", "model.json"):
        (own / name).write_bytes((BANDS / name).read_bytes())
    server = start(terminal=False)
    server.wait_for("Ready: bands")
    assert not (served / "model.onnx").exists()

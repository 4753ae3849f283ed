"""Names that no file can have, wherever a file may be given: one line, and no traceback."""

import sys
from pathlib import Path

import pytest

from streamer.__main__ import main
from streamer.config.models import ModelConfig
from streamer.config.ports import ServerConfig
from streamer.config.schema import Config
from streamer.config.sources import SettingsError
from streamer.http.certificate import BadCertificate, check_certificate
from streamer.models.resolve import model_specs
from streamer_client.audio import open_audio
from streamer_client.connection import check_address
from streamer_client.errors import AudioFileError, InvalidAddress
from streamer_client.options import parse_options

LONG = "a" * 300


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The present one, which is empty."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (LONG, "there is no command"),
        (f"models {LONG}", "there is no command"),
        (f"models check {LONG}", "is not a folder, a configuration file or a module:Class"),
        (f"--config {LONG}", "File name too long"),
        (f"load --audio {LONG}", "File name too long"),
    ],
)
def test_of_the_server(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["streamer", *arguments.split()])
    try:
        code: object = main()
    except SystemExit as left:
        code = left.code
    assert code in (1, 2)
    line = capsys.readouterr().err
    assert says in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--addr", LONG], [LONG, LONG]])
def test_of_the_client(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_options(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_of_an_output() -> None:
    assert parse_options(["-o", f"{LONG}.srt", "a.wav"]).output == "srt"


@pytest.mark.parametrize("model", [ModelConfig(path=LONG), ModelConfig(type=LONG)])
def test_in_the_settings_of_a_model(model: ModelConfig) -> None:
    with pytest.raises(SettingsError, match=r"'model\.(path|type)' is"):
        model_specs(Config(model=model), Path())


def test_of_a_certificate() -> None:
    with pytest.raises(BadCertificate, match=r"cannot use 'server\.ssl_certfile'"):
        check_certificate(ServerConfig(ssl_certfile=LONG))


def test_of_a_recording_and_of_an_address() -> None:
    with pytest.raises(AudioFileError, match="File name too long; give a shorter name"):
        open_audio(LONG).__enter__()
    with pytest.raises(InvalidAddress, match="is not a WebSocket address"):
        check_address(LONG)

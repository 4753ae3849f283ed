"""Options and words that there are not: each is answered with what was meant, in one line."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamer.__main__ import _parser, main
from streamer.cli.command_line import CommandLine
from streamer.cli.meant import ADDRESS, OPTIONS_OF, OTHER_WORDS, plain
from streamer_client.parser import build_parser

COMMON = {"--help", "--version"}


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A parser, and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


def test_the_options_of_each_program_are_those_that_others_name() -> None:
    found = {}
    for parser in (*parsers(_parser()), build_parser()):
        assert isinstance(parser, CommandLine)
        names = {name for name in parser._option_string_actions if name.startswith("--")} - COMMON
        if names:
            found[parser.prog] = names
    assert found == {program: set(options) for program, options in OPTIONS_OF.items()}


def test_other_words_are_plain_and_lead_to_options() -> None:
    known = {option for options in OPTIONS_OF.values() for option in options}
    for word, option in OTHER_WORDS.items():
        assert plain(word) == word
        assert option.partition(" ")[0] in known


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present one, with files that may be given in the wrong place."""
    monkeypatch.chdir(tmp_path)
    for name in ("sounds", "configured", "trained"):
        (tmp_path / name).mkdir()
    for name in ("speech.wav", "my.json", "own.py", "net.onnx", "-x.wav"):
        (tmp_path / name).touch()
    (tmp_path / "configured/config.json").touch()
    (tmp_path / "trained/model.json").touch()
    return tmp_path


def refusal(
    arguments: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    monkeypatch.setattr(sys, "argv", ["streamer", *arguments.split()])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    return line


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # Another spelling of an option.
        ("--Port 8080", "there is no option --Port; did you mean --port?"),
        ("--PORT=8080", "there is no option --PORT; did you mean --port?"),
        ("-port 8080", "there is no option -port; did you mean --port?"),
        ("-port=8080", "there is no option -port; did you mean --port?"),
        ("-p 8080", "there is no option -p; did you mean --port?"),
        ("-c my.json", "there is no option -c; did you mean --config?"),
        ("--log_level debug", "there is no option --log_level; did you mean --log-level?"),
        ("--loglevel=debug", "there is no option --loglevel; did you mean --log-level?"),
        ("—port 8080", "'—port' begins with a long dash; did you mean --port?"),
        ("–-port=8080", "'–-port' begins with a long dash; did you mean --port?"),
        ("-V", "there is no option -V; did you mean --version?"),
        ("--token x", "there is no option --token; it is a setting: put STREAMER_ACCESS__TOKENS"),
        ("--token=s3cret", "put STREAMER_ACCESS__TOKENS=… before the command"),
        ("—token=s3cret", "'—token' begins with a long dash, and it is a setting: put STREAMER_"),
        ("--language de", "there is no option --language; each model has its own language: choose"),
        (
            "load --audio x --port 9",
            "It takes the whole address: -a ws://localhost:9/api/v1/segmented",
        ),
        ("load --audio x --simple", "the whole address: -a ws://localhost:8080/api/v1/simple"),
        ("--worker=2", "put STREAMER_INFERENCE__WORKERS=2 or"),
        ("load --audio x -N 3", "there is no option -N; did you mean -n?"),
        ("load --audio x -streams=3", "there is no option -streams; did you mean --streams?"),
        ("models fetch --From x", "there is no option --From; did you mean --from?"),
        ("models check -audio=x y", "there is no option -audio; did you mean --audio?"),
        # An option of another program, or of another command.
        ("--mic", "there is no option --mic; it is an option of streamer-client ("),
        ("--streams=3", "there is no option --streams; it is an option of streamer load ("),
        ("--addr x", "it is an option of streamer load and streamer-client ("),
        ("models list --port 1", "it is an option of streamer, the server ("),
        ("models check --Config x y", "--Config; it is an option of streamer, the server ("),
        ("models check x --force", "it is an option of streamer models fetch ("),
        ("load --audio x --mic", "it is an option of streamer-client ("),
        ("--port 1 load --audio x", "--port is only for the server, without a command ("),
        ("--config x models list", "--config is only for the server, without a command ("),
        # A word in the place of a command.
        ("8080", "there is no command '8080'; did you mean --port 8080?"),
        (":8080", "it is an address; to listen there: --port 8080 ("),
        ("http://a.example:81/x", "to listen there: --host a.example --port 81 ("),
        ("[::1]:81", "to listen there: --host ::1 --port 81 ("),
        ("localhost", "to listen there: --host localhost ("),
        ("ws://", "there is no command 'ws://'"),
        ("configured", "did you mean --config configured?"),
        ("trained", "did you mean models check trained? To serve it, write a config.json there"),
        ("sounds", "it is a directory without a config.json, which --config would take"),
        ("my.json", "did you mean --config my.json?"),
        ("no.json", "--config takes a configuration, and there is no file no.json"),
        ("*.json", "it is a pattern, and no file here matches it"),
        ("speech.wav", "to send a recording: streamer-client speech.wav"),
        ("no.wav", "and no such file; to send a recording: streamer-client no.wav"),
        ("own.py", "did you mean models check own.py?"),
        ("net.onnx", "did you mean models check net.onnx?"),
        ("own:Own", "did you mean models check own:Own?"),
        ("transcribe x", "audio is sent with streamer-client FILE, or streamer-client --mic"),
        ("help", "there is no command 'help'; did you mean --help?"),
        ("version", "there is no command 'version'; did you mean --version?"),
        ("MODELS list", "there is no command 'MODELS'; did you mean models?"),
        ("models trained", "there is no command 'trained'; did you mean check trained?"),
        ("models own:Own", "there is no command 'own:Own'; did you mean check own:Own?"),
        ("models help", "there is no command 'help'; did you mean --help?"),
        # What goes with an option, without it.
        ("load sounds", "--audio is missing; did you mean --audio sounds?"),
        ("load -n 3 sounds", "--audio is missing; did you mean --audio sounds?"),
        ("load ws://a:1", "--audio is missing; the address is given with --addr ws://a:1"),
        ("load --audio sounds a:80", "'a:80' is an address: give it with --addr"),
        ("load --json=yes --audio x", "--json takes no value: leave out 'yes'"),
        ("-x.wav", "there is no option -x.wav; if it is the file: ./-x.wav"),
        (f"--{'x' * 999}", "there is no option --xxx"),
    ],
)
def test_a_mistake_is_answered_with_what_was_meant(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert says in refusal(arguments, capsys, monkeypatch)


@pytest.mark.parametrize(
    "word", ["ws://a", "wss:/a/b", "localhost", "a:80", ":80", "80", "10.0.0.1"]
)
def test_addresses(word: str) -> None:
    assert ADDRESS.fullmatch(word)


@pytest.mark.parametrize("word", ["a", "a.wav", "own:Own", "1", "a/b", "models", "localhosts", ""])
def test_what_is_no_address(word: str) -> None:
    assert not ADDRESS.fullmatch(word)

"""Options and recordings of the command that are none: each is answered with what was meant."""

import os
from pathlib import Path

import pytest

from streamer_client.options import parse_options

ADDRESS = "ws://localhost:8080/api/v1/segmented"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present one, with some files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my sounds").mkdir()
    for name in ("a.wav", "my talk.wav", "-x.wav"):
        (tmp_path / name).touch()
    return tmp_path


def refusal(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        parse_options(arguments)
    assert left.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith("streamer-client: ")
    assert line.count("\n") == 1
    return line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        # Another spelling, another program's word.
        ("--Port 8080", "there is no option --Port; did you mean --addr?"),
        ("--PORT=8080 a.wav", "there is no option --PORT; did you mean --addr?"),
        ("--Addr x a.wav", "there is no option --Addr; did you mean --addr?"),
        ("-A x a.wav", "there is no option -A; did you mean -a?"),
        ("--interim_results a.wav", "did you mean --interim-results?"),
        ("--InterimResults a.wav", "did you mean --interim-results?"),
        ("-output=srt a.wav", "there is no option -output; did you mean --output?"),
        ("-output srt a.wav", "there is no option -output; did you mean --output?"),
        ("-addr=ws://a a.wav", "there is no option -addr; did you mean --addr?"),
        ("-mic", "there is no option -mic; did you mean --mic?"),
        ("-real-time a.wav", "there is no option -real-time; did you mean --real-time?"),
        ("—token=s3cret a.wav", "'—token' begins with a long dash; did you mean --token?"),
        ("—mic", "'—mic' begins with a long dash; did you mean --mic?"),
        ("a.wav –-output=srt", "'–-output' begins with a long dash; did you mean --output?"),
        ("-V", "there is no option -V; did you mean --version?"),
        ("-m a.wav", "there is no option -m; did you mean --mic or --model?"),
        ("-t x a.wav", "did you mean --token or --trace-id or --timeout?"),
        ("--srt a.wav", "there is no option --srt; did you mean --output srt?"),
        ("-x.wav", "there is no option -x.wav; if it is the file: ./-x.wav"),
        # An option of another program.
        ("--config x a.wav", "--config; it is an option of streamer, the server ("),
        ("--log-level=debug a.wav", "--log-level; it is an option of streamer, the server ("),
        ("--streams 3 a.wav", "--streams; it is an option of streamer load ("),
        # A value that is none, or too much.
        ("--mic=1", "--mic takes no value: leave out '1'"),
        ("--words=true a.wav", "--words takes no value: leave out 'true'"),
        ("--output SRT a.wav", "there is no 'SRT'; did you mean srt?"),
        ("--output out.srt a.wav", "'out.srt' is a file; did you mean -o out.srt?"),
        ("--vad off a.wav", "is processed at the address …/api/v1/simple: see --addr"),
        ("--keyterms Ada a.wav", "check its name; for one term: --keyterm Ada"),
        ("-a a.wav", "a.wav is a file, and --addr takes an address: streamer-client a.wav"),
        # What is no recording.
        ("ws://localhost:8080/api/v1/simple", "FILE --addr ws://localhost:8080/api/v1/simple ("),
        ("http://localhost:8080", f"give it with --addr: streamer-client FILE --addr {ADDRESS} ("),
        ("https://a.example/", "FILE --addr wss://a.example/api/v1/segmented ("),
        ("localhost:8080", f"localhost:8080 is an address, not a recording; give it with --addr: "
         f"streamer-client FILE --addr {ADDRESS} ("),
        ("localhost", f"--addr {ADDRESS} ("),
        (":8080", f"--addr {ADDRESS} ("),
        ("8080", f"--addr {ADDRESS} ("),
        ("ws:/localhost:8080", f"--addr {ADDRESS} ("),
        ("/api/v1/simple", "--addr ws://localhost:8080/api/v1/simple ("),
        ("10.0.0.7:80", "--addr ws://10.0.0.7:80/api/v1/segmented ("),
        ("a.wav localhost:8080", f"streamer-client a.wav --addr {ADDRESS} ("),
        ("localhost:8080 a.wav", f"streamer-client a.wav --addr {ADDRESS} ("),
        ("-i localhost:8080", f"streamer-client FILE --addr {ADDRESS} ("),
        ("http://a.example/b.mp3?x&y", "curl -L 'http://a.example/b.mp3?x&y' | str"),
        ("https://a.example/b.mp3", "curl -L https://a.example/b.mp3 | streamer-client - ("),
        ("file:///a/b%20c.wav", "give the file's name: streamer-client '/a/b c.wav' ("),
        ("file:b.wav", "give the file's name: streamer-client b.wav ("),
        ("–", "'–' is no hyphen; for standard input: streamer-client - ("),
        ("stdin", "for standard input: streamer-client - ("),
        ("/dev/stdin", "for standard input: streamer-client - ("),
        ("/dev/null", "send what comes from it: streamer-client - < /dev/null"),
        ("mic", "there is no file 'mic'; did you mean --mic?"),
        ("help", "there is no file 'help'; did you mean --help?"),
        ("models list", "did you mean the other program, streamer models?"),
        ("serve", "did you mean the other program, streamer, without a command?"),
        ("my talk.wav", "'my talk.wav' is one file: put its name into quotes"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_with_what_was_meant(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refusal(arguments.split(), capsys)


@pytest.mark.parametrize(
    ("recording", "says"),
    [
        ("", 'the name of the recording is empty, as "$NAME" is if NAME is not set'),
        (
            "my sounds",
            "my sounds is a directory; give an audio file. For all files in it: for f in",
        ),
        ("my sounds", 'for f in \'my sounds\'/*; do streamer-client "$f" -o "$f.txt"; done'),
    ],
)
def test_a_recording_that_is_none(
    recording: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert says in refusal([recording], capsys)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-a", "my talk.wav"], "takes an address: streamer-client 'my talk.wav' ("),
        (["a.wav", "--output", "my talk.srt"], "did you mean -o 'my talk.srt'?"),
        (["my pipe"], "send what comes from it: streamer-client - < 'my pipe' ("),
    ],
)
def test_commands_that_are_proposed_can_be_pasted(
    arguments: list[str], says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(folder / "my pipe")
    assert says in refusal(arguments, capsys)


@pytest.mark.parametrize("name", ["localhost:8080", "mic", "stdin", "8080", "—mic", "serve", "–"])
def test_a_file_may_have_any_name(name: str, folder: Path) -> None:
    (folder / name).touch()
    given = f"./{name}" if name == "stdin" else name
    assert parse_options([given]).input == given


def test_usual_arguments_are_taken() -> None:
    options = parse_options(["-v", "-oout.srt", "-aws://a/", "a.wav", "--output=srt"])
    assert (options.verbose, options.output, options.address) == (True, "srt", "ws://a/")
    assert str(options.output_file) == "out.srt"
    assert parse_options(["-"]).input == "-"
    assert parse_options(["a.wav", "--keyterm", "—mic"]).keyterms == ["—mic"]

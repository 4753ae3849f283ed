"""The command `streamer`: what it imports, and which commands there are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamer.__main__ import main

ROOT = Path(__file__).parents[2]
HEAVY = ("numpy", "onnxruntime", "starlette", "uvicorn", "websockets", "streamer_client")
AFTERWARDS = f"""
import sys
print([name for name in {HEAVY} if name in sys.modules])
"""
RUN = """
import contextlib, sys
from streamer.__main__ import main
sys.argv = ["streamer", *{arguments}]
with contextlib.suppress(SystemExit):
    main()
"""


def python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_a_worker_that_imports_the_command_line_imports_nothing_of_it() -> None:
    code = "import streamer.__main__, sys; print([m for m in sys.modules if 'streamer.cli' in m])"
    assert python(code) == "[]\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["models", "--help"]])
def test_nothing_heavy_is_imported_to_show_what_there_is(arguments: list[str]) -> None:
    shown = python(RUN.format(arguments=arguments) + AFTERWARDS)
    assert "streamer" in shown
    assert shown.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["models", "load"])
def test_the_help_lists_every_command(command: str) -> None:
    assert f"\n    {command} " in python(RUN.format(arguments=["--help"]))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("serve", "there is no command 'serve'; allowed: models, load; without a command"),
        ("modles list", "there is no command 'modles'; did you mean models?"),
        ("models lst", "there is no command 'lst'; did you mean list?"),
        ("--prot 1", "there is no option --prot; did you mean --port?"),
        ("--port=1 --configg=x", "there is no option --configg; did you mean --config?"),
        ("--port", "argument --port: expected one argument"),
        ("load --audi x", "there is no option --audi; did you mean --audio?"),
        ("load --audio x --tokn a", "there is no option --tokn; did you mean --token?"),
        ("load --url x", "there is no option --url; did you mean --addr?"),
        ("--settings x", "there is no option --settings; did you mean --config?"),
        ("check x", "there is no command 'check'; did you mean models check?"),
        ("config.json", "there is no command 'config.json'; did you mean --config config.json?"),
        ("models", "streamer models: a command is missing; there are list, fetch, export,"),
        (
            "--workers 3",
            "there is no option --workers; it is a setting: put STREAMER_INFERENCE__WORKERS=… or",
        ),
        ("--vad-threshold=0.4", "put STREAMER_VAD__THRESHOLD=0.4 before the command, or into the"),
        ("--model x", "STREAMER_MODEL__PATH=… or STREAMER_MODEL__TYPE=… before the command"),
        ("models check x y", "there is nothing to do with 'y'"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["streamer", *arguments.split()])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    line = capsys.readouterr().err
    assert says in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "streamer --help",
        "streamer --version",
        "streamer load --help",
        "streamer models list",
        "streamer models verify",
        "streamer models check standin.json",
        "streamer_client --help",
        "streamer_client --version",
    ],
)
def test_a_reader_that_has_enough_ends_a_command_quietly(command: str, tmp_path: Path) -> None:
    (tmp_path / "standin.json").write_text('{"model": {"type": "standin"}}')
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-m", *command.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("command", "closed", "code", "says"),
    [
        ("streamer models list", "1>&-", 0, ""),
        ("streamer --version", "1>&- 2>&-", 0, ""),
        ("streamer --nope", "2>&-", 2, ""),
        ("streamer_client --version", "1>&-", 0, ""),
        ("streamer_client nofile", "1>&-", 2, "nofile does not exist"),
        ("streamer_client - -a ws://127.0.0.1:1/api/v1/segmented", "0<&-", 3, "no server"),
        ("streamer_client nofile", "2>&-", 2, ""),
    ],
)
def test_standard_streams_that_are_closed_are_no_traceback(
    command: str, closed: str, code: int, says: str, tmp_path: Path
) -> None:
    run = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m {command} {closed}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == code
    assert says in run.stderr
    assert "Traceback" not in run.stderr

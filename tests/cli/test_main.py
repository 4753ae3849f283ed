"""The command `streamer`: what it imports, and which commands there are."""

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

"""Tools answer a mistake in their arguments with one line, before they do anything."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN_BY_OTHERS = {
    "tools.bench.floor",
    "tools.bench.profiled_server",
    "tools.bench.peers.moonshine_voice_server",
    "tools.bench.peers.whisper_live_server",
}
"""Programs that other tools start."""


def tools() -> list[str]:
    """The modules that are run with `python -m`."""
    paths = [p for p in (ROOT / "tools").rglob("*.py") if '__name__ == "__main__"' in p.read_text()]
    names = {".".join(p.relative_to(ROOT).with_suffix("").parts) for p in paths}
    return sorted({name.removesuffix(".__main__") for name in names} - RUN_BY_OTHERS)


def source(tool: str) -> str:
    path = ROOT / tool.replace(".", "/")
    return (path / "__main__.py" if path.is_dir() else path.with_suffix(".py")).read_text()


@pytest.mark.parametrize("tool", tools())
def test_each_tool_checks_its_arguments_under_its_own_name(tool: str) -> None:
    text = source(tool)
    assert "ArgumentParser(" not in text
    assert "sys.argv" not in text
    assert set(re.findall(r'tool_parser\(\s*"(.*?)"', text)) == {tool}


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("tools.soak", "--Seconds 3", "there is no option --Seconds; did you mean --seconds?"),
        ("tools.soak", "-seconds=3", "there is no option -seconds; did you mean --seconds?"),
        ("tools.soak", "--sec 3", "there is no option --sec; did you mean --seconds?"),
        ("tools.soak", "--only everythng", "there is no 'everythng'; did you mean everything?"),
        ("tools.bench.compare", "--wiht x", "there is no option --wiht; did you mean --with?"),
        ("tools.bench.levels", "sounds", "--audio is missing; did you mean --audio sounds?"),
        ("tools.demo", "--port 8080", "there is no option --port; it is an option of streamer,"),
        ("tools.demo", "speech.wav", "there is nothing to do with 'speech.wav'"),
    ],
)
def test_a_mistake_is_answered_with_what_was_meant(tool: str, arguments: str, says: str) -> None:
    command = [sys.executable, "-m", tool, *arguments.split()]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(f"python -m {tool}: ")
    assert says in run.stderr
    assert (run.stderr.count("\n"), run.stdout) == (1, "")

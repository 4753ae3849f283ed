"""`docs/installing.md`: what it names exists, and its commands are found as a reader finds them.

`make release-demo`, which CI runs, does everything that the page says.
"""

import re
import subprocess
from pathlib import Path

import pytest

from streamer.config.schema import Config
from streamer.models.missing import missing_models
from streamer.version import SERVER, UNKNOWN, beside_each_other, installed_version
from streamer.weights.manifest_schema import WheelSource
from tools.release import stranger
from tools.release.page_commands import Command, SavedFile, steps_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/installing.md").read_text()
STEPS = list(steps_of(PAGE))


def test_the_steps_are_those_of_a_reader() -> None:
    commands = [step for step in STEPS if isinstance(step, Command)]
    assert [step.name for step in STEPS if isinstance(step, SavedFile)] == [
        "loudness.py",
        "config.json",
    ]
    assert [step.text for step in commands if step.starts_a_server] == [
        "server/bin/streamer --fetch",
        "server/bin/streamer --config config.json --port 8081",
    ]
    used = {step.text.split()[0] for step in commands}
    assert used >= {"sha256sum", "server/bin/streamer-client", "client/bin/streamer-client"}
    clients = [step.text for step in commands if "bin/streamer-client" in step.text]
    assert len(clients) == 3
    assert all(any(text.endswith(name) for name in stranger.SAID) for text in clients)


def test_a_page_may_have_commands_over_lines_and_output() -> None:
    page = "Save this as `a.py`:\n\n```python\nx\n```\n\n```console\n$ a \\\n  b\nshown\n$ c\n```\n"
    assert [*steps_of(page)] == [SavedFile("a.py", "x\n"), Command("a    b"), Command("c")]


def test_the_size_of_the_download_is_right(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STREAMER_MODELS", str(tmp_path))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    sources = [model.manifest.source for model in missing_models(Config(), tmp_path)]
    assert len(sources) == 3
    size = sum(source.bytes for source in sources if isinstance(source, WheelSource))
    assert re.search(rf"\(\[{size / 1e6:.0f}\]\([^)]*\) MB to download\)", PAGE)


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    kinds = (".md", ".py", ".toml", ".txt", ".yml", ".yaml", ".js", ".html", ".service")
    return [ROOT / name for name in listed if name.endswith(kinds) and (ROOT / name).is_file()]


ANOTHER_PROGRAM = re.compile(
    r"(?:pip3? install|pipx install|uv tool install|uv add|uvx|uv pip install)"
    r"(?: +-\S+)* +['\"`]?streamer(?![-_./\w])"
)


@pytest.mark.parametrize(
    ("text", "is_another"),
    [
        ("pip install streamer", True),
        ("pip install --upgrade streamer\n", True),
        ("pip install 'streamer[grpc]'", True),
        ("uvx streamer", True),
        ("uv tool install streamer==1", True),
        ("pip install 'streamer-server[grpc]'", False),
        ("pip install streamer_server-1.whl", False),
        ("uvx --from ./streamer_server-1.whl streamer", False),
    ],
)
def test_the_search_finds_another_program(text: str, is_another: bool) -> None:
    assert bool(ANOTHER_PROGRAM.search(text)) is is_another


def test_nothing_here_tells_people_to_install_another_program() -> None:
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in tracked_texts()
        if path != Path(__file__)
        for match in ANOTHER_PROGRAM.finditer(path.read_text(errors="replace"))
    }
    assert found == {}


def test_a_distribution_that_is_not_installed_has_no_version() -> None:
    assert installed_version(("streamer-none",)) == UNKNOWN


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"streamer-server": "1.0"}, None),
        ({"streamer-client": "1.0"}, None),
        ({"streamer-server": "1.0", "streamer-client": "1.0"}, None),
        ({"streamer-server": "1.0", "streamer-client": "1.1"}, ("1.0", "1.1")),
    ],
)
def test_two_versions_in_one_environment_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    versions: dict[str, str],
    expected: tuple[str, str] | None,
) -> None:
    for name, version in versions.items():
        folder = tmp_path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    assert beside_each_other() == expected
    assert installed_version((SERVER,)) == versions.get(SERVER, UNKNOWN)

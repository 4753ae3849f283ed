"""What others may rely on is listed, and a break of it is found."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.release import api_changes
from tools.release.api_changes import breaks, is_said, last_tag
from tools.release.public_api import LISTING, ROOT, listing, python_lines

BEFORE = '''"""A package."""

from streamer.thing import play

__all__ = ["play"]
'''
PLAY = '''"""Plays."""


def play(name: str, volume: int = 3) -> None:
    """Play."""


def _hidden(a: int) -> None:
    pass


def unlisted(a: int) -> None:
    """Not exported."""
'''


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *identity, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A small repository with a release."""
    repository = tmp_path / "repository"
    for folder, package in ((".", "streamer"), ("client", "streamer_client")):
        place = repository / folder / package
        place.mkdir(parents=True)
        (place / "__init__.py").write_text(BEFORE.replace("streamer", package))
        (place / "thing.py").write_text(PLAY)
    (repository / "docs").mkdir()
    (repository / "docs/public-api.txt").write_text("server.port = 8080\nserver.host = 1\n")
    git(repository, "init", "--quiet")
    git(repository, "add", "-A")
    git(repository, "commit", "--quiet", "-m", "first")
    git(repository, "tag", "v1.0.0")
    return repository


def test_the_listing_is_what_the_code_has() -> None:
    assert LISTING.read_text() == listing(), "run `make api`, and say in CHANGELOG.md what changes"


def test_every_exported_name_is_listed() -> None:
    import streamer
    import streamer_client

    lines = list(python_lines(ROOT))
    for package in (streamer, streamer_client):
        for name in package.__all__:
            path = f"{package.__name__}.{name}"
            assert [line for line in lines if line.startswith(path)], path


def test_nothing_breaks_that_the_changelog_does_not_name() -> None:
    tag = last_tag(ROOT)
    if tag is None:
        return  # then the listing is all that there is to compare with
    found = list(breaks(ROOT, tag))
    assert not found or is_said((ROOT / "CHANGELOG.md").read_text()), found


def test_the_last_release_is_the_last_tag(released: Path) -> None:
    assert last_tag(released) == "v1.0.0"
    git(released, "tag", "v1.1.0")
    assert last_tag(released) in ("v1.0.0", "v1.1.0")
    (released / "docs/x").touch()
    git(released, "add", "-A")
    git(released, "commit", "--quiet", "-m", "second")
    git(released, "tag", "v1.2.0")
    git(released, "tag", "nightly")
    assert last_tag(released) == "v1.2.0"


def test_the_same_breaks_nothing(released: Path) -> None:
    (released / "streamer/thing.py").write_text(
        PLAY.replace("volume: int = 3", "volume: int = 3, *, loop: bool = False")
    )
    (released / "docs/public-api.txt").write_text("server.host = 1\nnew = 1\nserver.port = 8080\n")
    assert list(breaks(released, "v1.0.0")) == []


def test_a_parameter_that_goes_and_a_line_that_goes_are_breaks(released: Path) -> None:
    (released / "streamer/thing.py").write_text(PLAY.replace(", volume: int = 3", ""))
    (released / "docs/public-api.txt").write_text("server.host = 1\n")
    found = list(breaks(released, "v1.0.0"))
    assert found[0] == "server.port = 8080"
    assert len(found) == 2
    assert "play(volume)" in found[1]


def test_what_is_not_exported_may_change(released: Path) -> None:
    changed = PLAY.replace("unlisted(a: int)", "unlisted()").replace("_hidden(a: int)", "_hidden()")
    (released / "client/streamer_client/thing.py").write_text(changed)
    assert list(breaks(released, "v1.0.0")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Changelog\n\n## Unreleased\n\n### Removed\n\n- x\n\n## 1.0\n", True),
        ("# Changelog\n\n## Unreleased\n\n### Added\n\n- x\n\n## 1.0\n\n### Removed\n", False),
        ("# Changelog\n", False),
    ],
)
def test_only_the_first_section_says_what_breaks_now(text: str, said: bool) -> None:
    assert is_said(text) is said


def test_without_a_tag_there_is_nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "init", "--quiet")
    monkeypatch.setattr(api_changes, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["api_changes"])
    assert api_changes.main() == 0
    assert "no release to compare with" in capsys.readouterr().out

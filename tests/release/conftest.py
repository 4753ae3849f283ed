"""A release of what is in this folder, made once."""

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.conftest import (
    _clean_logs,
    launch,
    pytest_runtest_makereport,
    standin,
)
from tests.needed import missing
from tools.release.__main__ import release

ROOT = Path(__file__).parents[2]

__all__ = ["_clean_logs", "launch", "pytest_runtest_makereport", "standin"]


def git(*arguments: str) -> str:
    """What git says of this repository; skips the test where there is none."""
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        missing(f"this is not a git checkout: {done.stderr.strip()}")
    return done.stdout.strip()


@pytest.fixture(scope="session")
def commit() -> str:
    """What is committed, or, if there are changes, a commit of these that no branch has."""
    named = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    return git(*named, "stash", "create") or git("rev-parse", "HEAD")


@pytest.fixture(scope="session")
def made(commit: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release, without the SBOM."""
    return release(ROOT, tmp_path_factory.mktemp("release"), cyclonedx=None, commit=commit)


@pytest.fixture(scope="session")
def client_wheel(made: Path) -> Path:
    (wheel,) = made.glob("streamer_client-*.whl")
    return wheel


@pytest.fixture(scope="session")
def server_wheel(made: Path) -> Path:
    (wheel,) = made.glob("streamer_server-*.whl")
    return wheel

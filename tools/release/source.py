"""A clean copy of what is committed, its version, and its time."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

GIT = "git"
TAGS = "v[0-9]*"
"""The tags of versions, as git matches them."""


class NotReleasable(Exception):
    """There is nothing that a release could be made of; the message is one line."""


@dataclass(frozen=True, slots=True)
class Source:
    """A copy of the files of one commit.

    Attributes:
        root: The folder of the copy; nothing else is in it.
        version: Of everything that is made from it, as PEP 440 writes versions.
        commit: Its hash.
        epoch_s: The time of the commit, in seconds since 1970: the time of every file made.
        tag: Of the version, such as `v0.2.0`; None = the commit has none.
    """

    root: Path
    version: str
    commit: str
    epoch_s: int
    tag: str | None = None

    @property
    def ref(self) -> str:
        """What links into the repository name: the tag, or else the commit."""
        return self.tag or self.commit


def copy_of_commit(repository: Path, into: Path, commit: str = "HEAD") -> Source:
    """Copy a commit; changes that are not committed are no part of it.

    Args:
        repository: A checkout.
        into: A folder that does not exist.
        commit: As git names it; by default the one that is checked out.

    Raises:
        NotReleasable: This is no checkout, or its version cannot be found.
    """
    _git(repository, "clone", "--quiet", "--shared", str(repository), str(into))
    _git(into, "checkout", "--quiet", "--detach", _git(repository, "rev-parse", commit))
    commit = _git(into, "rev-parse", "HEAD")
    epoch_s = int(_git(into, "log", "-1", "--format=%ct"))
    found = subprocess.run(
        [sys.executable, "-m", "setuptools_scm"], cwd=into, capture_output=True, text=True
    )
    if found.returncode:
        raise NotReleasable(f"setuptools-scm finds no version: {found.stderr.strip()}")
    return Source(into, found.stdout.split()[-1], commit, epoch_s, tag_of(into, commit))


def tag_of(repository: Path, commit: str = "HEAD") -> str | None:
    """The tag of a version that a commit has, such as `v0.2.0`; None = it has none."""
    command = [GIT, "describe", "--tags", "--exact-match", "--match", TAGS, commit]
    found = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def tracked(source: Source) -> list[str]:
    """The files of the commit, below its root."""
    return _git(source.root, "ls-files", "-z").rstrip("\0").split("\0")


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [GIT, *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise NotReleasable("a release needs git") from None
    except subprocess.CalledProcessError as error:
        raise NotReleasable(f"git {arguments[0]}: {error.stderr.strip()}") from None
    return done.stdout.strip("\n")

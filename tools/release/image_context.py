"""The context of the image: what `docker build` needs, and no more, with the version written in."""

import re
import shutil
from pathlib import Path, PurePosixPath

from tools.release.archive import write_tar
from tools.release.source import NotReleasable, Source, tracked

VERSION_LINE = re.compile(r"^ARG VERSION=.*$", re.MULTILINE)


def let_in(names: list[str], ignore: str) -> list[str]:
    """The names of files that `.dockerignore` lets into a build.

    Args:
        names: Paths below the root.
        ignore: The text of `.dockerignore`: everything is out that is not let in.
    """
    lines = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    if lines[:1] != ["*"]:
        raise NotReleasable(".dockerignore does not begin with '*'")
    allowed = [PurePosixPath(line[1:]).parts for line in lines if line.startswith("!")]
    return [name for name in names if any(_is_below(name, pattern) for pattern in allowed)]


def _is_below(name: str, pattern: tuple[str, ...]) -> bool:
    parts = PurePosixPath(name).parts
    head = PurePosixPath(*parts[: len(pattern)])
    return len(parts) >= len(pattern) and head.match("/".join(pattern))


def write_image_context(source: Source, target: Path, scratch: Path) -> None:
    """Write the context as a .tar.gz, for `docker build - < FILE`.

    Args:
        source: The commit.
        target: The archive.
        scratch: A folder that does not exist.

    Raises:
        NotReleasable: The Dockerfile has no place for the version.
    """
    ignore = (source.root / ".dockerignore").read_text()
    names = [".dockerignore", "Dockerfile", *let_in(tracked(source), ignore)]
    for name in names:
        copy = scratch / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source.root / name, copy, follow_symlinks=False)
    dockerfile, count = VERSION_LINE.subn(
        f"ARG VERSION={source.version}", (scratch / "Dockerfile").read_text()
    )
    if count != 1:
        raise NotReleasable("the Dockerfile needs one line 'ARG VERSION=…'")
    (scratch / "Dockerfile").write_text(dockerfile)
    write_tar(target, scratch, names, ".", source.epoch_s)

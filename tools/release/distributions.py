"""Source distributions and wheels, the same bytes each time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.release.archive import normalise
from tools.release.source import NotReleasable, Source

UMASK = 0o022
"""The modes of files in a wheel are those on the disk."""


def build(tree: Path, source: Source, into: Path, scratch: Path) -> list[Path]:
    """Build a source distribution of a project, and from that a wheel; return both.

    Args:
        tree: The folder of the project, without a repository.
        source: For the version and the time.
        into: The folder for both.
        scratch: A folder that does not exist.

    Raises:
        NotReleasable: The build failed.
    """
    scratch.mkdir()
    made = _call("build_sdist", tree, source, scratch)
    unpacked = normalise(made, scratch / "unpacked", source.epoch_s)
    wheel = _call("build_wheel", unpacked, source, scratch)
    return [Path(shutil.move(path, into)) for path in (made, wheel)]


def _call(hook: str, tree: Path, source: Source, into: Path) -> Path:
    """Call a hook of PEP 517, in a process of its own; return the file that it made."""
    code = f"import sys, setuptools.build_meta as b; print(b.{hook}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(into)],
        cwd=tree,
        env=_environment(source),
        capture_output=True,
        text=True,
        umask=UMASK,
        check=False,
    )
    if done.returncode:
        raise NotReleasable(f"{hook} of {tree}: {done.stderr.strip()}")
    return into / done.stdout.split()[-1]


def _environment(source: Source) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "SETUPTOOLS"))}
    return {
        **inherited,
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "SETUPTOOLS_SCM_PRETEND_VERSION": source.version,
        "SOURCE_DATE_EPOCH": str(source.epoch_s),
        "TZ": "UTC",
    }

"""The project of the client's own distribution: the client, and what it imports of the server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.release.source import Source

CLIENT, SERVER = "streamer_client", "streamer"

LIST_NEEDED = """
import sys, grimp
graph = grimp.build_graph(
    *sys.argv[1:], include_external_packages=False, exclude_type_checking_imports=True,
    cache_dir=None,
)
waiting = [name for name in graph.modules if name.partition(".")[0] == sys.argv[1]]
needed = set()
while waiting:
    name = waiting.pop()
    if name not in needed:
        needed.add(name)
        waiting += graph.find_modules_directly_imported_by(name)
        if "." in name:
            waiting.append(name.rpartition(".")[0])
print("\\n".join(sorted(needed)))
"""
"""Imports within functions count, too. In a process of its own, because what is imported there must
be the copy of the commit."""


def needed_modules(root: Path) -> list[str]:
    """The modules of the client, and those that it imports of the server, at any depth.

    Args:
        root: Of a checkout.
    """
    path = os.pathsep.join((str(root), str(root / "client")))
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIST_NEEDED, CLIENT, SERVER],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def make_client_tree(source: Source, tree: Path) -> None:
    """Copy the client's project together.

    Args:
        source: The commit.
        tree: A folder that does not exist.
    """
    tree.mkdir()
    for name in needed_modules(source.root):
        folder = source.root / ("client" if name.partition(".")[0] == CLIENT else ".")
        path = Path(*name.split("."))
        file = path / "__init__.py" if (folder / path).is_dir() else path.with_suffix(".py")
        _copy(folder / file, tree / file)
    for package in (CLIENT, SERVER):
        folder = source.root / ("client" if package == CLIENT else ".")
        _copy(folder / package / "py.typed", tree / package / "py.typed")
    _copy(source.root / "client/distribution.toml", tree / "pyproject.toml")
    _copy(source.root / "client/README.md", tree / "README.md")
    _copy(source.root / "LICENSE", tree / "LICENSE")


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)

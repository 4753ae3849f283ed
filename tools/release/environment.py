"""Clean environments, and what is in them."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

OWN = ("streamer", "streamer_client")


def make_environment(folder: Path, wheels: Sequence[str]) -> Path:
    """Install wheels with what they need into a new environment; return its folder of programs.

    The pip of this environment does it, so the new one has nothing else.

    Args:
        folder: One that does not exist.
        wheels: As pip takes them: files, with extras.

    Raises:
        subprocess.CalledProcessError: pip could not install them; it has said why.
    """
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    programs = folder / "bin"
    command = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install"]
    command += ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", *wheels]
    subprocess.run(command, check=True)
    return programs


def megabytes(environment: Path) -> dict[str, float]:
    """What each package of an environment takes, in MB, with its bytecode.

    Args:
        environment: The folder of it.
    """
    (packages,) = environment.glob("lib/python3*/site-packages")
    sizes: dict[str, float] = {}
    for path in packages.iterdir():
        name = path.name.partition("-")[0].removesuffix(".libs").removesuffix(".py")
        files = path.rglob("*") if path.is_dir() else [path]
        size = sum(file.stat().st_size for file in files if file.is_file())
        sizes[name] = sizes.get(name, 0.0) + size / 1e6
    return sizes

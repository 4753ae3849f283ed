"""Resolve the locked packages for every Python and platform, as wheels only: `make resolve`.

A combination is right if every package that it needs has a wheel with one of the locked hashes.
Nothing is installed. What the client alone needs is resolved for Windows, too.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.command_line import tool_parser

ROOT = Path(__file__).parents[2]
UV = ROOT / "build/tools/bin/uv"
IMAGE_LOCK = ROOT / "requirements/image.lock"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SERVER_PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
MACOS = "14.0"
"""The oldest macOS for which PyAV has wheels. ONNX Runtime has none for Intel's processors."""

CLIENT_PLATFORMS = (*SERVER_PLATFORMS, "x86_64-apple-darwin", "x86_64-pc-windows-msvc")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What came of one combination; `problem` is None if it is right."""

    what: str
    python: str
    platform: str
    problem: str | None


def resolve(
    what: str, arguments: Sequence[str], python: str, platform: str, uv: Path = UV
) -> Resolved:
    """Resolve one combination.

    Args:
        what: Name of what is resolved.
        arguments: For `uv pip install`: requirements, or files of them.
        python: Version.
        platform: As uv names it.
        uv: The program.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [str(uv), "pip", "install", "--dry-run", "--quiet", "--target", folder]
        command += ["--only-binary", ":all:", "--python-version", python]
        command += ["--python-platform", platform, *arguments]
        environment = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": MACOS}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    problem = done.stderr.strip() or f"exit code {done.returncode}"
    return Resolved(what, python, platform, problem if done.returncode else None)


def combinations() -> Iterator[tuple[str, Sequence[str], str, str]]:
    """What is resolved, with arguments, Python and platform."""
    client = tomllib.loads((ROOT / "client/distribution.toml").read_text())["project"]
    for python in PYTHONS:
        for platform in SERVER_PLATFORMS:
            yield "server", ("--require-hashes", "-r", str(IMAGE_LOCK)), python, platform
        for platform in CLIENT_PLATFORMS:
            yield "client", client["dependencies"], python, platform


def main() -> int:
    """Return the exit code: 1 if there is a combination without wheels."""
    tool_parser("tools.release.platforms", __doc__).parse_args()
    failed = 0
    for what, arguments, python, platform in combinations():
        found = resolve(what, arguments, python, platform)
        failed += found.problem is not None
        print(f"{what}  Python {python}  {platform:<24} {found.problem or 'wheels for all'}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

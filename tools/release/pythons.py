"""Run tests with every Python that this machine has: `make test-pythons`.

For each version an environment gets the locked packages, in `build/pythons/VERSION`. The tests
treat warnings as errors. A version that is not here is named; that is no failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.command_line import tool_parser
from tools.release.platforms import PYTHONS, ROOT, UV

LOCK = "requirements/development.lock"
FOLDER = ROOT / "build/pythons"
TESTS = (
    *("tests/access", "tests/audio", "tests/check", "tests/cli", "tests/client", "tests/config"),
    *("tests/dialects", "tests/http", "tests/inference", "tests/load", "tests/models"),
    *("tests/observe", "tests/onnx", "tests/pipeline", "tests/protocol", "tests/recordings"),
    *("tests/rpc", "tests/session", "tests/subtitles", "tests/vad", "tests/websocket"),
    "tests/weights",
)
"""Those with the packages of the server and the client; they need no other program."""


def find_python(version: str) -> str | None:
    """The interpreter of a version, on the path or as pyenv keeps it; None = there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        shutil.which(f"python{version}"),
        *map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"))),
    ]
    return next((path for path in filter(None, candidates) if _runs(path)), None)


def _runs(python: str) -> bool:
    done = subprocess.run([python, "--version"], capture_output=True, check=False)
    return done.returncode == 0


def prepare(version: str, python: str) -> Path:
    """Make or update the environment of a version; return its Python."""
    folder = FOLDER / version
    if not (folder / "bin/python").exists():
        subprocess.run([UV, "venv", "--quiet", "--python", python, folder], check=True)
    command = [str(UV), "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    command += ["--python", str(folder / "bin/python"), "-r", LOCK]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder / "bin/python"


def results(tests: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Run the tests with each version; yield it and what came of it: "passed", or what is wrong."""
    for version in PYTHONS:
        python = find_python(version)
        if python is None:
            yield version, "not tested: this machine has none"
            continue
        path = os.pathsep.join((str(ROOT), str(ROOT / "client")))
        done = subprocess.run(
            [prepare(version, python), "-m", "pytest", "-q", *tests],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
            check=False,
        )
        yield version, "passed" if done.returncode == 0 else "FAILED"


def main() -> int:
    """Return the exit code: 1 if tests of a version failed."""
    parser = tool_parser("tools.release.pythons", __doc__)
    parser.add_argument("tests", nargs="*", default=TESTS, help="folders (default: many)")
    found = dict(results(tuple(parser.parse_args().tests)))
    for version, result in found.items():
        print(f"Python {version}: {result}")
    return int("FAILED" in found.values())


if __name__ == "__main__":
    sys.exit(main())

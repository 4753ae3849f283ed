"""Builds what the Dockerfile builds, with its own commands, in a folder instead of a container."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.harness.monitoring import ROOT


@dataclass
class Stage:
    """A `FROM` and what follows, as pairs of an instruction and its argument."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, instruction: str) -> list[str]:
        return [argument for name, argument in self.steps if name == instruction]

    @property
    def environment(self) -> dict[str, str]:
        words = [word for argument in self.all("ENV") for word in shlex.split(argument)]
        return dict(word.split("=", 1) for word in words)


def stages(dockerfile: Path = ROOT / "Dockerfile") -> list[Stage]:
    found: list[Stage] = []
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text(), flags=re.MULTILINE)
    for line in text.replace("\\\n", " ").splitlines():
        instruction, _, argument = line.strip().partition(" ")
        if instruction == "FROM":
            base, _, name = argument.partition(" AS ")
            found.append(Stage(base, name))
        elif instruction:
            found[-1].steps.append((instruction, argument.strip()))
    return found


def context() -> Iterator[Path]:
    """The files that .dockerignore lets into the build, relative to the repository."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*", "everything is out that is not let in"
    for pattern in allowed:
        for top in ROOT.glob(pattern):
            for path in sorted(top.rglob("*")) if top.is_dir() and not top.is_symlink() else [top]:
                relative = path.relative_to(ROOT)
                folder = path.is_dir() and not path.is_symlink()
                if "__pycache__" not in relative.parts and not folder:
                    yield relative


class Build:
    """The build stage, run in `folder`: `/opt/streamer` becomes `folder/opt/streamer`.

    Args:
        folder: Where the root of the image is; it need not exist.
        python: The interpreter in the place of the image's.
    """

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.python = python
        self.build, self.final = stages()

    def run(self) -> None:
        workdir = self.folder / "src"
        for instruction, argument in self.build.steps:
            if instruction == "WORKDIR":
                workdir = self.folder / argument.lstrip("/")
                workdir.mkdir(parents=True)
            elif instruction == "COPY":
                *sources, target = argument.split()
                for source in sources:
                    self._copy(source, workdir / target)
            elif instruction == "RUN":
                self._run(argument, workdir)

    def moved(self, text: str) -> str:
        """Absolute paths of the image, as they are here."""
        return re.sub(r"(?<![\w./])/(opt|models|src)\b", rf"{self.folder}/\1", text)

    def environment(self) -> dict[str, str]:
        """Of the final image, and nothing else but where the system's programs are."""
        found = {key: self.moved(value) for key, value in self.final.environment.items()}
        return {**found, "PATH": found["PATH"].replace("$PATH", os.defpath)}

    def _copy(self, source: str, target: Path) -> None:
        for path in context():
            if path.is_relative_to(source):
                into = (
                    target / path.relative_to(source)
                    if path != Path(source)
                    else target / path.name
                )
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, into, follow_symlinks=False)

    def _run(self, argument: str, workdir: Path) -> None:
        if argument.startswith("apt-get "):
            return  # programs that build: in their place are those of this machine
        command = self.moved(re.sub(r"--mount=\S+\s+", "", argument))
        command = re.sub(r"^python3 ", f"{shlex.quote(self.python)} ", command)
        found = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=workdir,
            env=self._building(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, f"{command}\n{found.stdout}\n{found.stderr}"

    def _building(self) -> Mapping[str, str]:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("STREAMER_", "PYTHON"))
        }
        words = (shlex.split(argument)[0] for argument in self.build.all("ARG"))
        defaults = dict(word.split("=", 1) for word in words)
        return {**inherited, **defaults, **self.build.environment}


def exec_form(argument: str) -> list[str]:
    """The words of a command written as JSON."""
    words = json.loads(argument)
    assert isinstance(words, list)
    return words

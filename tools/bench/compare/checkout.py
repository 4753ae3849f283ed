"""A checkout of the server, run with its own virtual environment.

Nothing of a checkout is imported here: the one that is compared with may be older, with other
modules. It is started as a user would start it, and then seen through its sockets and `/proc`.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.harness.process import Server, wait_until

RECORDINGS = ("two_cities.wav", "beckett.wav")
READY_S = 120.0
"""Seconds until the workers have to be warm."""


class NoCheckout(Exception):
    """A folder is not a checkout that can be run; the message names what is missing."""


@dataclass(frozen=True)
class Checkout:
    """One side of the comparison.

    Attributes:
        label: Column heading in the tables.
        folder: The root of the checkout, absolute.
    """

    label: str
    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter of the checkout's virtual environment."""
        return self.folder / ".venv/bin/python"

    @property
    def environment(self) -> dict[str, str]:
        """What makes the interpreter import this checkout, also when environments are shared.

        And what fixes the order of sets, which decides the order of names in some headers.
        """
        path = os.pathsep.join(map(str, (self.folder, self.folder / "client")))
        return {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}

    def check(self) -> None:
        """See that it can be run.

        Raises:
            NoCheckout: It cannot.
        """
        if not self.python.exists():
            raise NoCheckout(f"{self.folder} has no .venv/bin/python: run `make install` there")
        found = self.run("-c", "import streamer; print(streamer.__file__)").stdout.strip()
        if Path(found).parent != self.folder / "streamer":
            raise NoCheckout(f"{self.python} imports {found or 'no streamer'}, not {self.folder}")

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run the interpreter to its end, in an empty folder."""
        with tempfile.TemporaryDirectory() as empty:
            return subprocess.run(
                [self.python, *arguments],
                cwd=empty,
                env={**_inherited(), **self.environment},
                capture_output=True,
                text=True,
                check=False,
            )

    def recordings(self) -> list[Path]:
        """The two recordings that come with the model."""
        return [self.folder / "models/moonshine-tiny-en" / name for name in RECORDINGS]

    @contextlib.contextmanager
    def serve(self, config: Mapping[str, object]) -> Iterator[Server]:
        """Run its server until the context ends.

        Args:
            config: Laid over the defaults, as in `config.json`.
        """
        with tempfile.TemporaryDirectory() as folder:
            command = (str(self.python), "-m", "streamer")
            server = Server(Path(folder), config, env=self.environment, program=command)
            try:
                wait_until(
                    lambda: server.get("/api/v1/ready").status == 200,
                    f"the server of {self.folder} is ready",
                    READY_S,
                )
                yield server
            finally:
                server.stop()


def _inherited() -> dict[str, str]:
    """The environment of this process, without what would change the settings of a server."""
    return {name: value for name, value in os.environ.items() if name[:9] != "STREAMER_"}

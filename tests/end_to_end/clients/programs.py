"""Other vendors' packages, run as they come; older versions in environments of their own."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.needed import missing
from tests.web.tools import TOOLS, node
from tools.harness.process import Server

HERE = Path(__file__).parent
BUILT = HERE.parents[2] / "build"
ENVIRONMENTS = BUILT / "clients"

KEY = "any-key"


def python(name: str, module: str | None = None) -> str:
    """The interpreter of an environment of `make clients`; skips the test where there is none.

    Args:
        name: Of the environment.
        module: It is enough if the tests' own interpreter can import this.
    """
    if module is not None and importlib.util.find_spec(module) is not None:
        return sys.executable
    found = ENVIRONMENTS / name / "bin/python"
    if not found.exists():
        missing(f"{name} is not installed: make clients")
    return str(found)


def agents_python(name: str) -> str:
    """The interpreter of an environment of `make agents`; skips the test where there is none.

    The test is skipped also with `REQUIRE_TOOLS`: continuous integration does not install these.
    """
    found = BUILT / "agents" / name / "bin/python"
    if not found.exists():
        pytest.skip(f"{name} is not installed: make agents")
    return str(found)


def run(
    command: list[str],
    server: Server,
    recording: Path,
    *options: str,
    certificate: Path | None = None,
) -> list[dict[str, Any]]:
    """Run a program against a server; returns the lines of JSON that it has printed.

    Args:
        command: Of the program.
        server: The one to connect to.
        recording: The file to send.
        options: More arguments.
        certificate: Of the server; None = it has none.
    """
    address = f"http://127.0.0.1:{server.port}"
    environment = {**os.environ, "NODE_PATH": str(TOOLS)}
    if certificate is not None:
        address = f"https://localhost:{server.port}"
        environment["NODE_EXTRA_CA_CERTS"] = str(certificate)
    done = subprocess.run(
        [*command, address, KEY, str(recording), *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def python_program(interpreter: str, script: str) -> list[str]:
    """The command that runs a script of this folder."""
    return [interpreter, "-W", "ignore", str(HERE / script)]


def node_program(script: str) -> list[str]:
    """The same, with Node."""
    return [node(), str(HERE / script)]

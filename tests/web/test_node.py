"""What Node's test runner and the TypeScript compiler say of the client."""

import os
import subprocess
from pathlib import Path

import pytest

from streamer.weights.manifest import require
from tests.server.process import Server

from .tools import HERE, node

CLIENT = HERE.parents[1] / "streamer/web/streamer-client"
TYPESCRIPT = HERE / "node_modules/typescript/bin/tsc"


def run(*command: str | Path, **environment: str) -> None:
    """Run a command of Node; shows what it printed when it fails."""
    result = subprocess.run(
        [node(), *command],
        cwd=HERE,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_client_speaks_the_protocol(transcriber: Server, standin: Server) -> None:
    run(
        *("--test", "node/client.test.js"),
        TRANSCRIBER_URL=f"ws://127.0.0.1:{transcriber.port}",
        STANDIN_URL=f"ws://127.0.0.1:{standin.port}",
        RECORDING=str(require("moonshine-tiny-en") / "beckett.wav"),
    )


def test_the_parts_of_the_page() -> None:
    run("--test", "node/page.test.js")


def test_types_fit_from_the_client_to_a_consumer() -> None:
    node()
    run(TYPESCRIPT, "-p", "tsconfig.json")


def test_the_declarations_are_those_of_the_code(tmp_path: Path) -> None:
    node()
    run(TYPESCRIPT, "-p", "tsconfig.types.json", "--outDir", tmp_path)
    written = (tmp_path / "streamer-client.d.ts").read_text()
    assert (CLIENT / "streamer-client.d.ts").read_text() == written, "run: make web-types"


@pytest.mark.parametrize("name", ["streamer-client.js", "capture-worklet.js"])
def test_the_client_depends_on_nothing(name: str) -> None:
    source = (CLIENT / name).read_text()
    assert "import(" not in source
    assert "\nimport " not in source

"""What Node's test runner and the TypeScript compiler say of the client."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from streamer.weights.manifest import require
from tests.end_to_end.streams.containers import speech
from tests.needed import program
from tests.web.tools import HERE, node
from tools.harness.process import Server

CLIENT = HERE.parents[1] / "streamer/web/streamer-client"
MODULES = sorted(path.name for path in CLIENT.glob("*.js"))
TYPESCRIPT = HERE / "node_modules/typescript/bin/tsc"


def run(*command: str | Path, folder: Path = HERE, **environment: str) -> str:
    """Run a command of Node; shows what it printed when it fails, and returns it."""
    result = subprocess.run(
        [node(), *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_client_speaks_the_protocol(
    transcriber: Server, standin: Server, tmp_path: Path
) -> None:
    container = tmp_path / "beckett.webm"
    container.write_bytes(speech("WebM/Opus"))
    run(
        *("--test", "node/client.test.js"),
        TRANSCRIBER_URL=f"ws://127.0.0.1:{transcriber.port}",
        STANDIN_URL=f"ws://127.0.0.1:{standin.port}",
        CONTAINER=str(container),
        RECORDING=str(require("moonshine-tiny-en") / "beckett.wav"),
    )


def test_what_is_no_audio_or_no_format_is_answered_with_what_to_give() -> None:
    run("--test", "node/format.test.js")


def test_lost_audio_is_told_in_order() -> None:
    run("--test", "node/lost.test.js")


def test_a_listener_that_throws_changes_nothing_else() -> None:
    run("--test", "node/listeners.test.js")


def test_every_wait_has_an_end() -> None:
    run("--test", "node/limits.test.js")


def test_the_parts_of_the_page() -> None:
    run("--test", "node/page.test.js")


def test_the_index_exports_the_public_names_and_reaches_every_module() -> None:
    run("--test", "node/index.test.js")


def test_types_fit_from_the_client_to_a_consumer() -> None:
    node()
    run(TYPESCRIPT, "-p", "tsconfig.json")


def test_the_declarations_are_those_of_the_code(tmp_path: Path) -> None:
    node()
    written = tmp_path / "streamer-client.d.ts"
    run("declarations.js", written)
    assert (CLIENT / written.name).read_text() == written.read_text(), "run: make web-types"
    assert [path.name for path in CLIENT.glob("*.d.ts")] == [written.name]


def test_it_installs_into_an_empty_project(tmp_path: Path) -> None:
    """Packed, installed, imported by Node, and compiled against by TypeScript, under its name."""
    node()
    packed = npm(tmp_path, "pack", str(CLIENT), "--silent").split()
    project = tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text('{"private": true, "type": "module"}')
    npm(project, "install", f"../{packed[-1]}", "--offline", "--no-audit", "--no-fund")
    installed = {path.name for path in (project / "node_modules/streamer-client").iterdir()}
    assert installed == {path.name for path in CLIENT.iterdir()}
    (project / "use.js").write_text(
        "import { Microphone, StreamerClient } from 'streamer-client';\n"
        "import.meta.resolve('streamer-client/capture-worklet.js');\n"
        "const client = new StreamerClient('http://localhost/', { WebSocket: class {} });\n"
        "console.log(client.url, typeof Microphone.open);\n"
    )
    assert run("use.js", folder=project) == "ws://localhost/ function\n"
    consumer = (HERE / "consumer.ts").read_text()
    here = "'../../streamer/web/streamer-client/streamer-client.js'"
    assert consumer.count(here) == 2
    (project / "consumer.ts").write_text(consumer.replace(here, "'streamer-client'"))
    flags = "--strict --noEmit --module nodenext --target es2023 --lib es2023,dom,dom.iterable"
    run(TYPESCRIPT, *flags.split(), "consumer.ts", folder=project)


def npm(folder: Path, *command: str) -> str:
    return subprocess.run(
        [program("npm", "npm"), *command],
        cwd=folder,
        env={**os.environ, "npm_config_cache": str(folder / ".npm")},
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    ).stdout


@pytest.mark.parametrize("name", MODULES)
def test_the_client_depends_on_nothing(name: str) -> None:
    """Its modules import each other, and nothing else. The worklet imports nothing at all."""
    source = (CLIENT / name).read_text()
    assert "import(" not in source
    imports = re.findall(r"^(?:import .*|export .* from .*)$", source, re.MULTILINE)
    allowed = [] if name == "capture-worklet.js" else MODULES
    for line in imports:
        path = re.fullmatch(r".* from '\./(.*)';", line)
        assert path is not None, line
        assert path[1] in allowed

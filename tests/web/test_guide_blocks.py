"""The blocks of the page of the client for browsers, and of the pages about it, fit its types."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.web.test_node import CLIENT, TYPESCRIPT, run
from tests.web.tools import HERE, node

SHOWN = re.findall(
    r"^```js\n(.*?)^```", (CLIENT / "README.md").read_text(), re.MULTILINE | re.DOTALL
)
NAMES = ("ContainerRecorder", "Microphone", "StreamerClient", "StreamerError")
GIVEN = {
    "client": "new StreamerClient('/api/v1/segmented')",
    "microphone": "await Microphone.open()",
    "url": "'/api/v1/segmented'",
}
"""What a block uses that others have made."""

FUNCTIONS = """
/** @param {unknown[]} _shown */ function show(..._shown) {}
const settle = show, report = show;
"""


def module(block: str) -> str:
    """A block with what it needs in front of it."""
    made = {name: value for name, value in GIVEN.items() if f"const {name} " not in block}
    lines = [f"const {name} = {value};" for name, value in made.items() if name in block]
    used = "\n".join([*lines, block])
    if "import {" not in block:
        names = ", ".join(name for name in NAMES if name in used)
        lines.insert(0, f"import {{ {names} }} from './streamer-client.js';" if names else "")
    return "\n".join([*lines, FUNCTIONS, block, "export {};"])


def project(folder: Path, blocks: list[str]) -> Path:
    """A copy of the client, with each block beside it as a module."""
    shutil.copytree(CLIENT, folder, dirs_exist_ok=True)
    for number, block in enumerate(blocks):
        (folder / f"guide-{number}.js").write_text(module(block))
    options = json.loads((HERE / "tsconfig.json").read_text())["compilerOptions"]
    settings = {"compilerOptions": options | {"noUnusedLocals": False}, "include": ["guide-*.js"]}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    return folder


def test_the_blocks_fit_the_types_of_the_client(tmp_path: Path) -> None:
    node()
    assert len(SHOWN) == 5
    run(TYPESCRIPT, "-p", "tsconfig.json", folder=project(tmp_path, SHOWN))


def test_a_block_with_a_wrong_name_does_not(tmp_path: Path) -> None:
    node()
    wrong = SHOWN[0].replace("client.on('segment'", "client.when('segment'")
    with pytest.raises(AssertionError, match="'when' does not exist"):
        run(TYPESCRIPT, "-p", "tsconfig.json", folder=project(tmp_path, [wrong]))

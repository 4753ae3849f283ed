"""The commands of `docs/http.md` print what the page shows."""

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import get_args

import pytest

from streamer.http.openai_fields import Form
from streamer.http.operations import OPERATIONS
from streamer.protocol.codes import RequestErrorCode
from tests.end_to_end.conftest import _for_the_session
from tools.harness.process import TIMEOUT_S, Server

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/http.md").read_text()
SHOWN = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """The server as it comes, without a configuration."""
    yield from _for_the_session(tmp_path_factory.mktemp("default"), None)


@pytest.mark.skipif(os.cpu_count() == 1, reason="the page shows the default of two cores or more")
@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_commands_print_what_is_shown(default: Server, command: str, output: str) -> None:
    command = command.replace("localhost:8080", f"127.0.0.1:{default.port}")
    command = command.replace(".venv/bin/python", sys.executable)
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    printed = subprocess.run(
        ["bash", "-c", command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert printed.returncode == 0, printed.stderr
    expected = ".*".join(re.escape(part) for part in output.rstrip("\n").split("…"))
    assert re.match(expected, printed.stdout, re.DOTALL), printed.stdout


def test_the_page_lists_every_code() -> None:
    assert [code for code in get_args(RequestErrorCode) if f"`{code}`" not in PAGE] == []


def test_the_page_lists_every_address_to_post_to() -> None:
    posts = [operation for operation in OPERATIONS if operation.method == "POST"]
    assert len(posts) == 9
    assert [o.path for o in posts if f"`POST {o.path}`" not in PAGE] == []


def test_the_page_lists_every_field_of_openais_forms() -> None:
    named = set(re.findall(r"`(\w+)(?:\[\])?`", PAGE))
    assert set(Form.__struct_fields__) - named == set()


def test_the_page_lists_every_parameter() -> None:
    for operation in OPERATIONS:
        names = operation.query.__struct_fields__ if operation.query else ()
        assert [name for name in names if f"`{name}`" not in PAGE and f"?{name}=" not in PAGE] == []

"""What these tests need besides Python, and what happens where it is missing."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent
TOOLS = HERE / "node_modules"
REQUIRED = "STREAMER_WEB_TESTS"
"""Set to `required`, nothing here is skipped: what is missing is a failure."""


def chromium() -> str:
    """The path of the browser; skips the test where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    return path or _missing("Chromium is not installed: apt-get install chromium")


def node() -> str:
    """The path of Node, with its packages; skips the test where there are none."""
    path = shutil.which("node")
    if path is None:
        _missing("Node.js is not installed")
    if not TOOLS.is_dir():
        _missing("the Node packages of these tests are not installed: make web-tools")
    return path


def axe() -> str:
    """The source of axe-core, which finds what keeps people out; skips the test without it."""
    node()
    return (TOOLS / "axe-core/axe.min.js").read_text()


def _missing(reason: str) -> NoReturn:
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)

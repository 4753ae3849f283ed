"""The programs that some tests need besides Python, and what happens where one is missing."""

import os
import shutil
from typing import NoReturn

import pytest

REQUIRED = "REQUIRE_TOOLS"
"""With this set in the environment no test is skipped: what is missing is a failure."""


def program(name: str, package: str) -> str:
    """The path of a program of a Debian package; skips the test where there is none."""
    return shutil.which(name) or missing(f"{name} is not installed: apt-get install {package}")


def missing(reason: str) -> NoReturn:
    """Skip the test for want of something, or fail where nothing may be missing."""
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason} ({REQUIRED} is set)")
    pytest.skip(reason)

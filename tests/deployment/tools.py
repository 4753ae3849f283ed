"""Programs that `make tools` installs."""

import os
import shutil

from tests.deployment.files import ROOT
from tests.needed import missing

FOLDER = ROOT / "build/tools/bin"


def tool(name: str) -> str:
    """The path of one of them; skips the test where there is none."""
    path = f"{FOLDER}{os.pathsep}{os.environ['PATH']}"
    return shutil.which(name, path=path) or missing(f"{name} is not installed: make tools")

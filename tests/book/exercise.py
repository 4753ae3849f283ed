"""Load the answer that a check is run on."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

FOLDER = "EXERCISES"
"""Environment variable: folder of the reader's answers. Without it, the book's are checked."""

HERE = Path(__file__).parent


def load(name: str) -> ModuleType:
    """Import an answer from its file.

    Args:
        name: Of the exercise.
    """
    path = Path(os.environ.get(FOLDER, HERE / "solutions")) / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"exercise_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""Whether what a person has named is there.

`Path.exists` and its like raise an `OSError` for a name that is too long, or is in a folder that
may not be searched. Nothing can be used in either case; who then opens it gets the reason.
"""

import os.path
from pathlib import Path


def exists(path: str | Path) -> bool:
    """Whether there is a file, a folder or anything else of this name."""
    return os.path.exists(path)  # noqa: PTH110 – see above, as in the others


def is_file(path: str | Path) -> bool:
    """Whether there is a regular file of this name."""
    return os.path.isfile(path)  # noqa: PTH113


def is_dir(path: str | Path) -> bool:
    """Whether there is a folder of this name."""
    return os.path.isdir(path)  # noqa: PTH112

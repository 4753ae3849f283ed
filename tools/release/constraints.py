"""The versions that were tested, for those who install a wheel: `pip install -c FILE WHEEL`."""

import re
from pathlib import Path

LOCKED = re.compile(r"^([a-zA-Z0-9._-]+==\S+(?: ; [^\\\n]*?)?) *\\?$", re.MULTILINE)
NOT_NEEDED = ("setuptools==", "setuptools-scm==", "vcs-versioning==")


def write_constraints(lock: Path, target: Path) -> int:
    """Write a lock without its hashes, which pip would then demand of the wheel, too.

    Args:
        lock: As uv writes it.
        target: The file.

    Returns:
        The number of packages.
    """
    lines = [line for line in LOCKED.findall(lock.read_text()) if not line.startswith(NOT_NEEDED)]
    head = "# Versions with which this release was tested: pip install -c THIS_FILE WHEEL\n"
    target.write_text(head + "".join(f"{line}\n" for line in lines))
    return len(lines)

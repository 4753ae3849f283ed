"""Why a file cannot be used: which file, what is wrong, what to do, without error numbers."""

import difflib
import errno
import re
from pathlib import Path
from typing import Literal

from streamer.config.paths import exists, is_dir

_REMEDIES = {
    errno.EACCES: "change its permissions, or those of its folder, or run this as another user",
    errno.EPERM: "change its permissions, or run this as another user",
    errno.EROFS: "give a file on another disk",
    errno.ENOSPC: "make room, or give a file on another disk",
    errno.EDQUOT: "make room, or give a file on another disk",
    errno.ENOTDIR: "a part of the path is a file, not a directory: check the path",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.ELOOP: "a link in the path leads to itself: check the path",
    errno.EMFILE: "raise the limit of open files: ulimit -n",
    errno.EIO: "check the disk",
}

MOST_BESIDE = 1000
"""Files of a folder among which one is looked for that was meant."""

LIKE = 0.8
"""Likeness of two names, 0 to 1, from which one may be meant by the other."""


def file_problem(
    path: str | Path, error: OSError | ValueError, use: Literal["read", "write", "use"] = "read"
) -> str:
    """One sentence about an error that opening, reading or writing a file has raised.

    Args:
        path: The file.
        error: An `OSError`, a `UnicodeDecodeError`, or the `ValueError` for a path with a NUL.
        use: What was to be done with it.
    """
    if isinstance(error, UnicodeError):
        return f"{path} is not text in UTF-8 (byte {_position(error)}); save it as UTF-8"
    if not isinstance(error, OSError):
        return f"cannot {use} {path}: {error}"
    number = error.errno
    if number == errno.ENOENT and use != "write":
        return missing_file(Path(path))
    if number == errno.ENOENT and not is_dir(Path(path).parent):
        return f"cannot write {path}: there is no directory {Path(path).parent}; make it first"
    if number == errno.EISDIR:
        return f"{path} is a directory; give a file"
    reason = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(number or 0)
    return f"cannot {use} {path}: {reason}" + (f"; {remedy}" if remedy else "")


def missing_file(path: Path) -> str:
    """One sentence about a file that does not exist."""
    name = str(path)
    seen_from = "" if path.is_absolute() else f" in {Path.cwd()}"
    if re.match(r"\w\w+:/", name):
        return f"{name} is an address, not a file; give a file"
    if name.startswith("~"):
        return f"{name} does not exist; a shell replaces ~ only outside of quotes"
    near = near_file(path)
    if near is None and set(name) & set("*?["):
        return f"no file matches {name}{seen_from}; check the folder and the ending"
    hint = f"did you mean {near}?" if near is not None else "check its name"
    return f"{name} does not exist{seen_from}; {hint}"


def near_file(path: Path) -> Path | None:
    """The file beside a missing one that was probably meant; None = there is none like it."""
    unquoted = Path(str(path).strip("'\""))
    if unquoted != path and exists(unquoted):
        return unquoted
    try:
        beside = sorted(other.name for other in path.parent.iterdir())[:MOST_BESIDE]
    except OSError:
        return None
    name = path.name.lower()
    lower = {other.lower(): other for other in beside}
    same_stem = [other for other in lower if Path(other).stem == Path(name).stem]
    near = [name] if name in lower else difflib.get_close_matches(name, lower, n=1, cutoff=LIKE)
    found = next(iter([*near, *same_stem]), None)
    return path.parent / lower[found] if found is not None else None


def _position(error: UnicodeError) -> int | str:
    return error.start if isinstance(error, UnicodeDecodeError) else "unknown"

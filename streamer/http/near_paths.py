"""The address that may be meant by one at which there is nothing. Pure."""

import difflib
from collections.abc import Iterable

LONGEST = 200
"""Characters of a path that is compared; comparing takes time that grows with their square."""

LIKE_ENOUGH = 0.65
"""Likeness of the last parts of two paths, 0 to 1. Above what unrelated words have: `nothing` and
`info` have 0.5; below `transcribe` and `transcriptions`, 0.67."""


def near_path(path: str, served: Iterable[str]) -> str | None:
    """The served path that is most like another one; None = none is like it.

    Paths are alike by their last part first: `/analyze` is meant for `/api/v1/analyze`.

    Args:
        path: At which there is nothing.
        served: All paths; those with a parameter, such as `{name}`, are left out.
    """
    if len(path) > LONGEST:
        return None
    wrong = path.rstrip("/").lower()
    near = [
        (likeness, _likeness(wrong, right), right)
        for right in served
        if "{" not in right and right != "/"
        if (likeness := _likeness(_last(wrong), _last(right))) >= LIKE_ENOUGH
    ]
    return max(near, key=lambda found: found[:2])[2] if near else None


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _likeness(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other.lower(), autojunk=False).ratio()

"""Ray's errors as one line of a log. Pure, and without Ray."""

import re

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
"""Ray colours names for terminals."""

LONGEST_BEGINNING, LONGEST_END = 120, 300
"""Characters. The beginning says what Ray did, and the end why it failed."""


def in_one_line(message: str) -> str:
    """The lines that say something, of a message with a traceback: the first, and the last."""
    lines = [line.strip() for line in COLOURS.sub("", message).splitlines() if line.strip()]
    if len(lines) < 2 or lines[0] == lines[-1]:
        return "".join(lines[:1])[:LONGEST_END]
    return f"{lines[0][:LONGEST_BEGINNING]} … {lines[-1][:LONGEST_END]}"

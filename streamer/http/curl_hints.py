"""What to write instead, for the usual mistakes in commands of curl. Pure but for one read."""

from typing import BinaryIO

URL_ENCODED = "application/x-www-form-urlencoded"
"""The Content-Type that curl gives to `-d` and to `--data-binary`."""

BINARY_BODY = "with curl use --data-binary @FILE"
FORM_FILE = "with curl: -F file=@FILE"

_REMOVED_BY_D = frozenset(b"\0\n\r")
"""curl 8 reads a file for `-d` without its line breaks and its null bytes."""

_HEAD_BYTES = 64 << 10
"""Bytes that are looked at. A recording of this length has such bytes."""


SURE_BYTES = 4_096
"""Of linear samples of 16 bits and more, so many without any of these bytes are not by chance."""


def was_sent_with_d(given_type: str, file: BinaryIO, least_bytes: int = 1) -> bool:
    """Whether a body looks like what curl makes of `-d @FILE` or `-d FILE`.

    Args:
        given_type: The Content-Type.
        file: The body, at its beginning, where it is left.
        least_bytes: A shorter body does not look like it.
    """
    if given_type != URL_ENCODED:
        return False
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    return len(head) >= least_bytes and _REMOVED_BY_D.isdisjoint(head)

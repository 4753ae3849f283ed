"""Recognize containers by their first bytes."""


def container(head: bytes) -> str | None:
    """Return the name of the container that a stream begins with; None = none, or not yet known.

    | name | bytes |
    |---|---|
    | WAV | `RIFF`, any 4 bytes, `WAVE` |
    | FLAC | `fLaC` |
    | Ogg | `OggS`, then a byte 0 (the version), then a byte 2 (the first page) |
    | MP4 | any 4 bytes, `ftyp` |

    More bytes of the same stream must never change a name.
    """
    raise NotImplementedError


def needs_more(head: bytes) -> bool:
    """Return whether more bytes could still show that the stream is one of these containers.

    False once a name is found, and once none can be found any more. It must be exact: a server that
    waits for a byte that changes nothing delays the stream.
    """
    raise NotImplementedError

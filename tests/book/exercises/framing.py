"""Messages on a stream of bytes."""


class BrokenStream(ValueError):
    """What was received cannot be a message. The stream is of no use any more."""


def frame(message: bytes) -> bytes:
    """Return the message behind its length: 4 bytes, little-endian."""
    raise NotImplementedError


class Frames:
    """Cuts a stream into messages, wherever its pieces are cut.

    Args:
        max_bytes: The longest allowed message.
    """

    def __init__(self, max_bytes: int) -> None:
        raise NotImplementedError

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the messages that they complete.

        Raises:
            BrokenStream: A length is above `max_bytes`. It is raised as soon as the length is
                known, also if the message has not come, and again by each later call. Messages
                before it in the same piece may be lost.
        """
        raise NotImplementedError

"""A queue of messages that counts bytes."""


class ByteInbox:
    """Messages in order, from one reader to one worker, in one event loop.

    Args:
        max_bytes: The inbox is full from this number of bytes on.
    """

    def __init__(self, max_bytes: int) -> None:
        raise NotImplementedError

    @property
    def held_bytes(self) -> int:
        """Bytes of all messages that were put and not taken."""
        raise NotImplementedError

    def put(self, message: bytes) -> None:
        """Append a message, also if the inbox is full; never waits."""
        raise NotImplementedError

    async def wait_for_room(self) -> None:
        """Wait until the inbox is not full. If it is not, return without waiting."""
        raise NotImplementedError

    async def get(self) -> bytes:
        """Take the first message; waits until there is one. If cancelled, nothing was taken."""
        raise NotImplementedError

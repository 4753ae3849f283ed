"""The server's end of the link to a worker process: messages, and the loss of the process."""

import asyncio
from collections import deque
from typing import cast

from streamer.inference import ipc


class WorkerDied(Exception):
    """The process ended, or was killed, before it answered.

    Args:
        how: A phrase, which clients may see.
        by_model: Whether the model may have been the reason.
        detail: For the log only: it names machines.
    """

    def __init__(self, how: str = "", *, by_model: bool = True, detail: str = "") -> None:
        super().__init__(how)
        self.by_model = by_model
        self.detail = detail


class WorkerLink(asyncio.Protocol):
    """The server's end of the private socket pair.

    Attributes:
        lost: Done once the process is gone.
    """

    _transport: asyncio.WriteTransport

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self._reader = ipc.WorkerMessageReader()
        self._received: deque[ipc.WorkerMessage] = deque()
        self._arrived: asyncio.Future[None] = loop.create_future()

    @property
    def closed(self) -> bool:
        """Whether the process can receive nothing any more."""
        return self.lost.done() or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received.extend(self._reader.feed(data))
        if self._received and not self._arrived.done():
            self._arrived.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        if not self.lost.done():
            self.lost.set_result(None)

    async def answer(self) -> ipc.WorkerMessage:
        """The next message; it may have come already. Raises `WorkerDied` when none will come."""
        await asyncio.wait((self._arrived, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not self._received:
            raise WorkerDied
        message = self._received.popleft()
        if not self._received:
            self._arrived = asyncio.get_running_loop().create_future()
        return message

    def send(self, message: ipc.WorkerMessage) -> None:
        """Write a message; it waits in memory while the process does not read."""
        self._transport.write(ipc.encode_message(message))

    def close(self) -> None:
        """Close this end; an idle worker then ends by itself."""
        self._transport.close()

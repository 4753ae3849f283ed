"""The writing side of a connection, and its end."""

import asyncio

from streamer.dialects.wyoming.incoming import IncomingEvents

LINGER_S = 5.0
"""Seconds in which a connection that is being closed has to take what was written."""


class OutgoingEvents:
    """What is sent to one client.

    Args:
        incoming: The reading side.
        loop: Its timers are used.
    """

    def __init__(self, incoming: IncomingEvents, loop: asyncio.AbstractEventLoop) -> None:
        self._incoming = incoming
        self._loop = loop
        self._transport: asyncio.Transport
        self._writable = asyncio.Event()
        self._writable.set()
        self._linger_timer: asyncio.TimerHandle | None = None
        self.ended = False
        """Whether nothing more is sent."""

    def start(self, transport: asyncio.Transport) -> None:
        """Write to this transport."""
        self._transport = transport

    def stop(self) -> None:
        """The connection is lost."""
        self.ended = True
        if self._linger_timer is not None:
            self._linger_timer.cancel()
        self._writable.set()

    def pause(self) -> None:
        """The client has to read what was written before more is written."""
        self._writable.clear()

    def resume(self) -> None:
        """More can be written."""
        self._writable.set()

    async def writable(self) -> None:
        """Wait until more can be written, or the connection is lost."""
        await self._writable.wait()

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent."""
        return self.ended or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write, if that is possible."""
        if not self.closed:
            self._transport.write(data)

    def end(self) -> None:
        """Send no more, and give the client some seconds to read it, and to close.

        Closing at once, while the client still sends, would make its kernel drop what it has not
        read yet.
        """
        if self.ended:
            return
        self.ended = True
        self._incoming.discard()
        if self._transport.is_closing():
            return
        self._linger_timer = self._loop.call_later(LINGER_S, self._transport.abort)
        if self._incoming.ended:
            self._transport.close()
            return
        try:
            self._transport.write_eof()
        except OSError:  # a reset that was not noticed yet, because nothing was read
            self._transport.abort()
        self._incoming.resume()

"""One stream: audio in, events out."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from streamer_client.connection import error_for_close
from streamer_client.errors import (
    ServerError,
    ServerGoingAway,
    StreamEnded,
    Unauthorized,
)
from streamer_client.events import Event, parse_event

if TYPE_CHECKING:
    from typing_extensions import Buffer


DEFAULT_MAX_MESSAGE_BYTES = 262_144
"""Bytes of a message at most, when `started` does not have the server's limit."""


class Stream:
    """An open stream, made by `connect`. Sending and iterating may go on at the same time.

    Iterating yields every event in the order received and ends after `stopped`. A non-fatal
    `error` is an event like any other. When the stream ends early, what the server still sent is
    yielded first, then a `StreamEnded` is raised.
    """

    def __init__(self, websocket: ClientConnection, bytes_per_second: int) -> None:
        self._websocket = websocket
        self._bytes_per_second = bytes_per_second
        self._sent_bytes = 0
        self._max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES
        self._ready: deque[Event] = deque()
        self._stop_sent = False
        self._fatal: Event | None = None
        self._going_away: Event | None = None
        self._stopped: Event | None = None
        self.trace_id: str | None = None

    @property
    def sent_s(self) -> float:
        """Seconds of audio sent so far."""
        return self._sent_bytes / self._bytes_per_second

    async def send(self, audio: "Buffer") -> None:
        """Send audio in the stream's format, of any length; it may begin and end at any byte.

        What is longer than a message may be is sent in several. Waits while the buffers of the
        connection are full.

        Args:
            audio: `bytes`, or another object with the buffer protocol, such as `bytearray`,
                `memoryview`, `array.array`, `numpy.ndarray`. The elements are sent as they are in
                memory, in the order of their indices: little-endian, and [frames, channels].

        Raises:
            TypeError: `audio` is not bytes, nor another object with the buffer protocol.
            RuntimeError: `stop` was called before.
            StreamEnded: the connection is closed. Iterating raises the server's reason.
        """
        if self._stop_sent:
            raise RuntimeError("audio is sent before stop(): nothing was sent")
        data = _bytes_of(audio)
        # Once also without audio, to notice a closed connection.
        for first in range(0, max(1, len(data)), self._max_message_bytes):
            message = data[first : first + self._max_message_bytes]
            try:
                await self._websocket.send(message)
            except ConnectionClosed as closed:
                raise error_for_close(closed, self._received_s) from closed
            self._sent_bytes += len(message)
            # A send that fits the socket's buffer never suspends; without this, a loop of them
            # would keep the task that reads the events from running.
            await asyncio.sleep(0)

    async def flush(self) -> None:
        """End the segment in progress now and keep the stream open.

        Does not wait. A `flushed` event of each channel follows the results of all audio sent so
        far, and comes before any event of later audio.

        Raises:
            StreamEnded: the connection is closed.
        """
        await self._request({"request": "flush"})

    async def keep_alive(self) -> None:
        """Restart the server's idle timer without sending audio.

        Raises:
            StreamEnded: the connection is closed.
        """
        await self._request({"request": "keep_alive"})

    async def stop(self) -> None:
        """End the audio. Iteration then ends after the last event.

        Raises:
            StreamEnded: the connection is closed.
        """
        self._stop_sent = True
        await self._request({"request": "stop", "disconnect": True})

    async def poll(self) -> Event | None:
        """Return an event that has already arrived, or `None`.

        Raises:
            StreamEnded: the stream ended early, and every event before that was returned.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                return await self._next()
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._next()
        if event is None:
            raise StopAsyncIteration
        return event

    async def start(self, request: Mapping[str, Any]) -> None:
        """Send the `start` request and wait for `started`, which stays first to be iterated.

        Raises:
            ServerError: the server does not accept the request.
            StreamEnded: it closed the connection, with the reason it gave.
        """
        await self._request(request)
        while self.trace_id is None:
            event = await self._receive()
            self._ready.append(event)
            if event.type == "started":
                self.trace_id = str(event.fields.get("trace_id", ""))
                self._max_message_bytes = _limit_in(event)
            elif event.type == "error" and not event.fatal:
                raise _reason(event)  # the server would now wait for another `start`

    async def _request(self, request: Mapping[str, Any]) -> None:
        try:
            await self._websocket.send(json.dumps(request))
        except ConnectionClosed as closed:
            raise error_for_close(closed, self._received_s) from closed

    async def _next(self) -> Event | None:
        """Return the next event, `None` after the last one of a complete stream."""
        if self._ready:
            return self._ready.popleft()
        if self._complete:
            return None
        return await self._receive()

    async def _receive(self) -> Event:
        try:
            event = parse_event(await self._websocket.recv())
        except ConnectionClosed as closed:
            if self._fatal:
                raise _reason(self._fatal) from closed
            if self._going_away:
                message = self._going_away.message or "the server is shutting down"
                raise ServerGoingAway(message, received_s=self._received_s) from closed
            raise error_for_close(closed, self._received_s) from closed
        if event.fatal:
            self._fatal = event
        elif event.type == "going_away":
            self._going_away = event
        elif event.type == "stopped":
            self._stopped = event
        return event

    @property
    def _received_s(self) -> float | None:
        """Seconds of audio that the server has received in all; `None` = it has not stopped."""
        return self._stopped.seconds("audio_seconds") if self._stopped else None

    @property
    def _complete(self) -> bool:
        """Whether `stopped` answers our own `stop` and covers all the audio sent."""
        if self._stopped is None or not self._stop_sent or self._fatal:
            return False
        if self._going_away is None:
            return True
        # A draining server may have stopped the stream on its own while `stop` was on its way.
        received_s = self._received_s
        return received_s is None or received_s >= self.sent_s - 0.001


def _bytes_of(audio: "Buffer") -> memoryview:
    """The bytes of `audio`, without a copy if they lie in one piece.

    Raises:
        TypeError: it has none.
    """
    try:
        view = memoryview(audio)
    except (TypeError, ValueError, BufferError):
        view = None
    if view is None or "O" in view.format:  # an array of references to objects
        raise TypeError(
            f"audio is {type(audio).__name__!r}; allowed: bytes, bytearray, memoryview, "
            "array.array, numpy.ndarray, or another object with the buffer protocol"
        )
    if view.c_contiguous and view.nbytes:
        return view.cast("B")
    return memoryview(view.tobytes())


def _limit_in(started: Event) -> int:
    limit = started.fields.get("max_message_bytes")
    return limit if isinstance(limit, int) and limit > 0 else DEFAULT_MAX_MESSAGE_BYTES


def _reason(event: Event) -> StreamEnded:
    """Return the exception for an `error` event."""
    message = event.message or "no reason given"
    if event.code == "unauthorized":
        return Unauthorized(f"the server did not admit this client: {message}")
    return ServerError(event.code or "unknown", message)

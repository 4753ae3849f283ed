"""One stream: audio in, events out."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from streamer_client.argument_names import with_known_names
from streamer_client.argument_types import check_types
from streamer_client.errors import (
    ServerError,
    ServerGoingAway,
    StreamEnded,
    Unauthorized,
)
from streamer_client.events import Event, parse_event
from streamer_client.refusals import error_for_close

if TYPE_CHECKING:
    from typing_extensions import Buffer


DEFAULT_MAX_MESSAGE_BYTES = 262_144
"""Bytes of a message at most, when `started` does not have the server's limit."""

UNKNOWN_CODE = "unknown"
"""Of an `error` without a code, which our protocol does not have."""


class Stream:
    """An open stream, made by `connect`. Sending and iterating may go on at the same time.

    Iterating yields every event in the order received and ends after `stopped`. A non-fatal
    `error` is an event like any other. When the stream ends early, what the server still sent is
    yielded first, then a `StreamEnded` is raised.
    """

    def __init__(
        self,
        websocket: ClientConnection,
        bytes_per_second: int,
        samples: tuple[int, bool] | None = None,
    ) -> None:
        self._samples = samples
        """Bits of a sample, and whether it is a float. `None` = arrays are not checked."""
        self._websocket = websocket
        self._bytes_per_second = bytes_per_second
        self._sent_bytes = 0
        self._max_message_bytes = DEFAULT_MAX_MESSAGE_BYTES
        self._ready: deque[Event] = deque()
        self._stop_sent = False
        self._fatal: Event | None = None
        self._last_error: Event | None = None
        """That was about the stream, and not about a segment of it."""
        self._broken_off: Event | None = None
        """The error with which the server has ended the stream, and not the connection."""
        self._going_away: Event | None = None
        self._stopped: Event | None = None
        self.trace_id: str | None = None
        self.gives_words = True
        """Whether segments have words if they were asked for, as far as `started` says."""

    @property
    def sent_s(self) -> float:
        """Seconds of audio sent so far; 0 with `encoding="auto"`, as only the server knows."""
        return self._sent_bytes / self._bytes_per_second if self._bytes_per_second else 0.0

    async def send(self, audio: "Buffer") -> None:
        """Send audio in the stream's format, of any length; it may begin and end at any byte.

        What is longer than a message may be is sent in several. Waits while the buffers of the
        connection are full.

        Args:
            audio: `bytes`, or another object with the buffer protocol, such as `bytearray`,
                `memoryview`, `array.array`, `numpy.ndarray`. The elements are sent as they are in
                memory, in the order of their indices: little-endian, and [frames, channels].

        Raises:
            TypeError: `audio` is not bytes, nor another object with the buffer protocol; or it is
                an array with elements of another type than the samples of the stream.
            RuntimeError: `stop` was called before.
            StreamEnded: the connection is closed. Iterating raises the server's reason.
        """
        if self._stop_sent:
            raise RuntimeError("audio is sent before stop(): nothing was sent")
        data = _bytes_of(audio)
        if self._samples is not None:
            _check_elements(audio, *self._samples)
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

    @with_known_names
    async def configure(
        self,
        *,
        interim_results: bool | None = None,
        vad: Mapping[str, float] | None = None,
        model: str | None = None,
        words: bool | None = None,
        keyterms: Sequence[str] | None = None,
        eager: bool | None = None,
    ) -> None:
        """Change settings of the stream for what is said later. What is `None` is unchanged.

        Does not wait. A `configured` event has the settings in force; a segment that has begun
        keeps its own. The arguments are those of `connect`.

        Raises:
            TypeError: an argument is of another type, such as one text as `keyterms`.
            StreamEnded: the connection is closed.
        """
        settings: dict[str, Any] = {
            "interim_results": interim_results,
            "vad": vad,
            "model": model,
            "words": words,
            "keyterms": keyterms,
            "eager": eager,
        }
        given: dict[str, Any] = {
            name: value for name, value in settings.items() if value is not None
        }
        check_types(given)
        if vad is not None:
            given["vad"] = dict(vad)
        if keyterms is not None:
            given["keyterms"] = list(keyterms)
        await self._request({"request": "configure", **given})

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
                self.gives_words = event.fields.get("words") is not False
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
        if self._is_complete():
            return None
        if self._broken_off is not None:
            raise _reason(self._broken_off)
        try:
            return await self._receive()
        except StreamEnded:
            if self._is_complete():  # `stop` was sent meanwhile, for a stream that was over
                return None
            raise

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
        if event.type == "error" and event.fields.get("start_time") is None:
            self._last_error = event
        if event.fatal:
            self._fatal = event
        elif event.type == "going_away":
            self._going_away = event
        elif event.type == "stopped":
            self._stopped = event
            if not self._stop_sent and self._last_error is not None and not self._going_away:
                self._broken_off = self._last_error if _ends_stream(self._last_error) else None
        return event

    @property
    def _received_s(self) -> float | None:
        """Seconds of audio that the server has received in all; `None` = it has not stopped."""
        return self._stopped.seconds("audio_seconds") if self._stopped else None

    def _is_complete(self) -> bool:
        """Whether `stopped` answers our own `stop` and covers all the audio sent."""
        if self._stopped is None or not self._stop_sent or self._fatal:
            return False
        if self._going_away is None:
            return True
        # A draining server may have stopped the stream on its own while `stop` was on its way.
        received_s = self._received_s
        return received_s is None or received_s >= self.sent_s - 0.001


def _check_elements(audio: "Buffer", bits: int, is_float: bool) -> None:
    """Check that an array has elements like the samples of the stream; bytes are taken as they are.

    An array of floats, sent as 16-bit integers, would be noise.
    """
    view = memoryview(audio)
    if view.format in (None, "B", "b", "c"):
        return
    given_bits, given_float = view.itemsize * 8, view.format[-1] in "efd"
    if (given_bits, given_float) != (bits, is_float):
        raise TypeError(
            f"audio is an array of {_samples(given_bits, given_float)}, and the stream was opened "
            f"for {_samples(bits, is_float)}: convert it, or open the stream with "
            f"bit_depth={given_bits}, is_float={given_float}"
        )


def _samples(bits: int, is_float: bool) -> str:
    return f"{bits}-bit {'floats' if is_float else 'integers'}"


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


def _ends_stream(error: Event) -> bool:
    """Whether an `error` that leaves the connection open is followed by `stopped`."""
    return not error.fatal and error.code in ("bad_audio", "overloaded", "internal_error")


def _limit_in(started: Event) -> int:
    limit = started.fields.get("max_message_bytes")
    return limit if isinstance(limit, int) and limit > 0 else DEFAULT_MAX_MESSAGE_BYTES


def _reason(event: Event) -> StreamEnded:
    """Return the exception for an `error` event."""
    message = event.message or "no reason given"
    if event.code == "unauthorized":
        return Unauthorized(f"the server did not admit this client: {message}")
    return ServerError(event.code or UNKNOWN_CODE, message)

"""Client for the Streamer server: audio goes in over a WebSocket, events come out.

::

    from streamer_client import connect

    async with connect("ws://localhost:8080/api/v1/segmented", sample_rate=16000) as stream:
        await stream.send(pcm_bytes)
        await stream.stop()
        async for event in stream:
            print(event.type, event.text)

Reading order: `events` (the events), `connection` (opening the socket), `stream` (one stream of
audio), `api` (the functions that make one), `file_events`, `audio`, `wav` and `decode` (files).
`cli` and what it imports make the `streamer-client` command; importing this package loads none of
that.
"""

from streamer_client.api import connect, transcribe
from streamer_client.errors import (
    AudioFileError,
    CannotConnect,
    ConnectionLost,
    InvalidAddress,
    ServerError,
    ServerGoingAway,
    StreamEnded,
    StreamerError,
    Unauthorized,
)
from streamer_client.events import Event
from streamer_client.stream import Stream

__all__ = [
    "AudioFileError",
    "CannotConnect",
    "ConnectionLost",
    "Event",
    "InvalidAddress",
    "ServerError",
    "ServerGoingAway",
    "Stream",
    "StreamEnded",
    "StreamerError",
    "Unauthorized",
    "connect",
    "transcribe",
]

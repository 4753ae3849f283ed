"""A client that follows a script, at a session of the server, in simulated time: for the book."""

import asyncio
import json
from typing import Any, NamedTuple

from starlette.types import Message
from starlette.websockets import WebSocket

from streamer.access.refusal_log import RefusalLog
from streamer.access.tokens import Access, AuthState
from streamer.config.schema import Config
from streamer.dialects.native import NativeDialect
from streamer.inference.model_pools import Pools
from streamer.inference.pool import WorkerPool
from streamer.memory import LightEvent
from streamer.observe.monitor import Meter, Monitor
from streamer.observe.tracer import Tracer
from streamer.pipeline.context import Segmentation
from streamer.recordings.decoder import Decoders
from streamer.services import Services
from streamer.session.dialect import Opening
from streamer.session.session import Session
from streamer.vad.factory import open_vad
from streamer.websocket.signals import GONE


class WireMessage(NamedTuple):
    """A text frame.

    Attributes:
        at_s: When it was sent, on the clock of the loop.
        by_client: Who has sent it.
        fields: Of its JSON object.
    """

    at_s: float
    by_client: bool
    fields: dict[str, Any]


class ScriptedSocket:
    """A WebSocket as ASGI has it.

    Attributes:
        messages: The text frames of both sides, in order.
        gone: Set when the connection is lost.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._received.put_nowait({"type": "websocket.connect"})
        self.messages: list[WireMessage] = []
        self.gone = LightEvent()

    def request(self, **fields: object) -> None:
        """The client sends a request."""
        self.messages.append(WireMessage(self._loop.time(), True, fields))
        self._received.put_nowait({"type": "websocket.receive", "text": json.dumps(fields)})

    def audio(self, data: bytes) -> None:
        """The client sends audio."""
        self._received.put_nowait({"type": "websocket.receive", "bytes": data})

    def close(self) -> None:
        """The client closes the socket."""
        self._received.put_nowait({"type": "websocket.disconnect", "code": 1000})

    def open_session(self, services: Services, segmentation: Segmentation) -> Session:
        """The server's session for this client, in the server's own protocol."""
        scope: dict[str, Any] = {
            "type": "websocket", "scheme": "ws", "path": "/", "query_string": b"", "headers": [],
            "client": None, "subprotocols": [], GONE: self.gone,
        }  # fmt: skip
        dialect = NativeDialect(segmentation, services.config.limits)
        socket = WebSocket(scope, self._received.get, self._send)
        return Session(socket, dialect, Opening(), AuthState.ADMITTED, services, "0" * 16)

    async def _send(self, message: Message) -> None:
        if message["type"] == "websocket.send":
            fields = json.loads(message["text"])
            self.messages.append(WireMessage(self._loop.time(), False, fields))


def services_of(
    config: Config, pool: WorkerPool, monitor: Monitor, tracer: Tracer | None = None
) -> Services:
    """What a session shares with others, without tokens and without decoders of files."""
    return Services(
        config=config,
        pools=Pools([pool]),
        vad=open_vad(config, Meter(monitor, "vad")),
        access=Access((), monitor.clock),
        monitor=monitor,
        tracer=tracer or Tracer(),
        decoders=Decoders(monitor=monitor),
        refusals=RefusalLog(monitor.clock),
    )

"""A connection of the served protocol class without a network: bytes in, bytes out."""

import asyncio
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from streamer.config.limits import LimitsConfig
from streamer.websocket.connection import WebSocketConnection, websocket_class
from tools.harness.raw import upgrade_request

UNLIMITED = LimitsConfig(max_fragments=0, max_messages_per_second=0, max_control_per_second=0)


class Wire(asyncio.Transport):
    """A transport that keeps what is written, and delivers nothing while reading is paused."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.aborted = self.half_closed = self.reading_paused = False
        self.information: dict[str, Any] = {
            "peername": ("192.0.2.1", 50_000),
            "sockname": ("192.0.2.2", 80),
        }
        self._arriving: list[bytes] = []
        self._protocol: asyncio.Protocol | None = None

    def connect(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        protocol.connection_made(self)

    def arrive(self, data: bytes) -> None:
        self._arriving.append(data)
        self._deliver()

    def _deliver(self) -> None:
        assert self._protocol is not None
        while self._arriving and not self.reading_paused and not self.closed:
            self._protocol.data_received(self._arriving.pop(0))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.information.get(name, default)

    def write(self, data: Any) -> None:
        assert not self.half_closed
        if not self.closed:
            self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.half_closed = True

    def pause_reading(self) -> None:
        self.reading_paused = True

    def resume_reading(self) -> None:
        self.reading_paused = False
        self._deliver()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            assert self._protocol is not None
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()


def connected(
    app: ASGIApp,
    limits: LimitsConfig = UNLIMITED,
    upgrade: bytes | None = None,
    **settings: Any,
) -> tuple[WebSocketConnection, Wire]:
    """A connection whose upgrade request has arrived; the application begins to run."""
    config = uvicorn.Config(
        app, ws=websocket_class(limits), log_config=None, proxy_headers=False, **settings
    )
    config.load()
    connection, wire = websocket_class(limits)(config, ServerState(), {}), Wire()
    wire.connect(connection)
    wire.arrive(upgrade_request("/") if upgrade is None else upgrade)
    return connection, wire


async def until(condition: Any) -> None:
    """Let the event loop go on until something holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)

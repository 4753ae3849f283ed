"""The server of this repository, over its own WebSocket."""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping

from tools.bench.live import UNLIMITED
from tools.bench.peers.peer import Absent, Connection, Description, Final, Peer
from tools.bench.peers.websocket_stream import WebSocketStream, open_websocket
from tools.harness.process import running_server


class ThisServer(Peer):
    """The server with one configuration.

    Args:
        description: Of it; `told` has the client send a `flush` where speech ends.
        model: As `model` in `config.json`.
    """

    def __init__(self, description: Description, model: Mapping[str, object]) -> None:
        self.description = description
        self._model = model

    @contextlib.contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        """Run it; it has a worker for each core by itself."""
        config = {"model": self._model, "limits": UNLIMITED}
        with contextlib.ExitStack() as stack:
            try:
                started = running_server(config, "--log-level", "warning")
                server = stack.enter_context(started)
            except AssertionError as error:
                raise Absent(f"does not start: {error}") from None
            yield server.port, server.process.pid

    async def connect(self, port: int) -> Connection:
        """Open a stream."""
        socket = await open_websocket(port, "/api/v1/segmented")
        start = {"request": "start", "interim_results": self.description.interims}
        await socket.send_text(json.dumps({**start, "format": {"sample_rate": 16_000}}))
        return _Stream(socket, flushes=self.description.told)


class _Stream(Connection):
    """One stream; with `flushes`, the segments before a `flushed` answer one utterance."""

    def __init__(self, socket: WebSocketStream, *, flushes: bool) -> None:
        self._socket = socket
        self._flushes = flushes

    async def begin_utterance(self) -> None:
        """Needs nothing."""

    async def send(self, pcm: bytes) -> None:
        await self._socket.send_binary(pcm)

    async def end_utterance(self) -> None:
        if self._flushes:
            await self._socket.send_text('{"request": "flush"}')

    async def finish(self) -> None:
        await self._socket.send_text('{"request": "stop", "disconnect": true}')

    async def finals(self) -> AsyncIterator[Final]:
        answered, texts = 0, list[str]()
        async for message in self._socket.texts():
            event = json.loads(message)
            if event["type"] == "segment" and self._flushes:
                texts.append(event["text"])
            elif event["type"] == "segment":
                yield Final(event["text"], None, event["start_time"], event["end_time"])
            elif event["type"] == "flushed":
                yield Final(" ".join(texts), answered)
                answered, texts = answered + 1, []

    async def close(self) -> None:
        await self._socket.close()

"""moonshine-voice: a library without a server, behind `moonshine_voice_server.py`."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tools.bench.peers.peer import Connection, Description, Final, Peer, SegmentingConnection
from tools.bench.peers.peer_process import installed, running
from tools.harness.ports import free_port


class MoonshineVoice(Peer):
    """Its streams, with the weights in its wheel."""

    description = Description(
        server="moonshine-voice 0.0.59 (C++ library)",
        model="moonshine-tiny-en",
        told=False,
        interims=True,
        given=(
            "no server of its own: a script with a transcriber and a thread for each core, and a "
            "plain TCP socket for each stream; its own VAD, an update each 0.5 s (its default)"
        ),
        first_streams=4,
    )

    @contextlib.contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        """Run the script with a transcriber for each core."""
        python, port = installed("moonshine-voice", "python"), free_port()
        script = Path(__file__).with_name("moonshine_voice_server.py")
        # -P: this folder has a module with the library's name.
        with running([python, "-P", script, str(port), str(cores)], port) as served:
            yield served

    async def connect(self, port: int) -> Connection:
        """Open a stream."""
        return _Lines(*await asyncio.open_connection("127.0.0.1", port))


class _Lines(SegmentingConnection):
    """PCM up, a JSON object for each final down."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, pcm: bytes) -> None:
        self._writer.write(pcm)
        await self._writer.drain()

    async def finish(self) -> None:
        self._writer.write_eof()

    async def finals(self) -> AsyncIterator[Final]:
        with contextlib.suppress(ConnectionError):
            while line := await self._reader.readline():
                found = json.loads(line)
                yield Final(found["text"], None, found["start_s"], found["end_s"])

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

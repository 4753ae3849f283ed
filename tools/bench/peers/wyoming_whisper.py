"""wyoming-faster-whisper: Home Assistant's speech to text, Python over CTranslate2.

Its wire is Wyoming: a JSON object on a line, then the bytes that it announces. An utterance is
`transcribe`, `audio-start`, `audio-chunk` …, `audio-stop`; the answer is `transcript`, and the
server closes the connection. So each utterance has a connection of its own.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

from tools.bench.peers.peer import Connection, Description, Final, Peer
from tools.bench.peers.peer_process import installed, running
from tools.bench.peers.whisper_weights import MODEL, whisper_weights
from tools.harness.ports import free_port

ENVIRONMENT = "wyoming-faster-whisper"
PCM: Mapping[str, object] = {"rate": 16_000, "width": 2, "channels": 1}

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WyomingWhisper(Peer):
    """The server with Whisper tiny.en."""

    description = Description(
        server="wyoming-faster-whisper 3.8.1",
        model=f"{MODEL}, int8",
        told=True,
        interims=False,
        given=(
            "the client knows where speech begins and ends; no VAD, no silence; told the language; "
            "greedy decoding (its default here is a beam of 5), as many threads as cores"
        ),
        first_streams=4,
    )

    @contextlib.contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        """Run it with a thread for each core."""
        python, port = installed(ENVIRONMENT, "python"), free_port()
        model = whisper_weights(ENVIRONMENT)
        options = {
            "uri": f"tcp://127.0.0.1:{port}",
            "model": model,
            "data-dir": model.parent,
            "stt-library": "faster-whisper",
            "language": "en",
            "compute-type": "int8",
            "beam-size": 1,
            "cpu-threads": cores,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        command: list[str | Path] = [
            python,
            "-m",
            "wyoming_faster_whisper",
            "--local-files-only",
            *flags,
        ]
        with running(command, port, {"HF_HUB_OFFLINE": "1"}) as served:
            yield served

    async def connect(self, port: int) -> Connection:
        """A stream; nothing is opened before the first utterance."""
        return _Utterances(port)


class _Utterances(Connection):
    """Utterances one after another, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[Ends] = []
        self._asked: asyncio.Queue[Ends | None] = asyncio.Queue()

    async def begin_utterance(self) -> None:
        ends = await asyncio.open_connection("127.0.0.1", self._port)
        self._open.append(ends)
        _write(ends[1], "transcribe", {"language": "en"})
        _write(ends[1], "audio-start", PCM)

    async def send(self, pcm: bytes) -> None:
        _, writer = self._open[-1]
        _write(writer, "audio-chunk", PCM, pcm)
        await writer.drain()

    async def end_utterance(self) -> None:
        _write(self._open[-1][1], "audio-stop", {})
        self._asked.put_nowait(self._open[-1])

    async def finish(self) -> None:
        self._asked.put_nowait(None)

    async def finals(self) -> AsyncIterator[Final]:
        index = 0
        while (ends := await self._asked.get()) is not None:
            if (text := await _transcript(ends[0])) is not None:
                yield Final(text, index)
            ends[1].close()
            index += 1

    async def close(self) -> None:
        for _, writer in self._open:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _write(
    writer: asyncio.StreamWriter, kind: str, data: Mapping[str, object], payload: bytes = b""
) -> None:
    head = {"type": kind, "data": data, "payload_length": len(payload)}
    writer.write(json.dumps(head).encode() + b"\n" + payload)


async def _transcript(reader: asyncio.StreamReader) -> str | None:
    """The text of the next `transcript`; None if the connection ends before."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while line := await reader.readline():
            event = json.loads(line)
            data = event.get("data") or {}
            if length := event.get("data_length"):
                data |= json.loads(await reader.readexactly(length))
            await reader.readexactly(event.get("payload_length") or 0)
            if event["type"] == "transcript":
                return str(data["text"])
    return None

"""A scripted server on a port of its own, and the command as a subprocess."""

import asyncio
import json
import os
import signal
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.end_to_end.conftest import (  # noqa: F401 – real servers, and the check of their logs
    _clean_logs,
    launch,
    pytest_runtest_makereport,
)

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT = Path(__file__).resolve().parents[2] / "client"


class Peer:
    """One connection, seen from the server."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.start: dict[str, Any] = {}
        self.requests: list[str] = []
        self.audio = bytearray()
        self.messages: list[int] = []
        self.sent: list[str] = []
        self.heard = asyncio.Event()
        self.stop_heard = asyncio.Event()

    @property
    def headers(self) -> dict[str, str]:
        assert self.connection.request is not None
        return dict(self.connection.request.headers.raw_items())

    async def send(self, type: str, **fields: Any) -> None:  # noqa: A002
        await self.send_raw(json.dumps({"type": type, **fields}))

    async def send_raw(self, message: str) -> None:
        self.sent.append(message)
        await self.connection.send(message)

    async def begin(self, **fields: Any) -> None:
        await self.read_start()
        given = {"session_id": "s1", "trace_id": TRACE_ID, "model": "test", "protocol": 1}
        await self.send("started", **given, **fields)

    async def read_start(self) -> None:
        self.start = json.loads(await self.connection.recv())

    async def read_audio(self, at_least_bytes: int = 1) -> None:
        while len(self.audio) < at_least_bytes:
            message = await self.connection.recv()
            assert isinstance(message, bytes)
            self._hear(message)

    async def read_to_stop(self) -> None:
        async for message in self.connection:
            if isinstance(message, bytes):
                self._hear(message)
                continue
            request = json.loads(message)
            self.requests.append(request["request"])
            if request["request"] == "stop":
                assert request["disconnect"] is True
                self.stop_heard.set()
                return

    async def segment(self, start_time: float, end_time: float, **output: Any) -> None:
        fields: dict[str, Any] = {"start_time": start_time, "end_time": end_time, "channel": 0}
        await self.send("segment", **{**fields, "is_final": True, **output})

    async def finish(self) -> None:
        await self.finish_as(self.audio_s)

    async def finish_as(self, audio_s: float) -> None:
        await self.send("stopped", audio_seconds=audio_s, segments=1, session_id="s1")
        await self.connection.close(1000)

    async def go_away(self) -> None:
        """End as a server does that restarts, with everything up to 0.1 s answered."""
        await self.send("going_away", message="restarting", deadline_seconds=0)
        await self.segment(0.0, 0.1, text="before")
        await self.send("stopped", audio_seconds=0.1, segments=1, session_id="s1")
        await self.connection.close(1012)

    @property
    def audio_s(self) -> float:
        form = self.start["format"]
        frame_bytes = form["channels"] * form["bit_depth"] // 8
        return float(len(self.audio) / frame_bytes / form["sample_rate"])

    def _hear(self, message: bytes) -> None:
        self.audio += message
        self.messages.append(len(message))
        self.heard.set()


Script = Callable[[Peer], Awaitable[None]]
Gate = Callable[[ServerConnection, Request], Response | None]


@dataclass
class Server:
    port: int
    peers: list[Peer] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/api/v1/segmented"

    @property
    def peer(self) -> Peer:
        assert len(self.peers) == 1
        return self.peers[0]


@asynccontextmanager
async def scripted_server(script: Script, gate: Gate | None) -> AsyncIterator[Server]:
    server = Server(0)

    async def handle(connection: ServerConnection) -> None:
        peer = Peer(connection)
        server.peers.append(peer)
        server.arrived.set()
        try:
            await script(peer)
        except ConnectionClosed:
            pass
        except BaseException as error:
            server.failures.append(error)
            raise

    async with serve(handle, "127.0.0.1", 0, process_request=gate, close_timeout=1) as running:
        server.port = next(iter(running.sockets)).getsockname()[1]
        yield server
    assert not server.failures


ServeScript = Callable[..., Awaitable[Server]]


@pytest.fixture
async def serve_script() -> AsyncIterator[ServeScript]:
    """Start servers, each running `script` for every connection."""
    async with AsyncExitStack() as stack:

        async def start(script: Script, gate: Gate | None = None) -> Server:
            return await stack.enter_async_context(scripted_server(script, gate))

        yield start


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.err.strip().splitlines()[-1]


class Command:
    """The command, running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    async def result(self, stdin: bytes | None = None) -> Result:
        out, err = await self.process.communicate(stdin)
        code = self.process.returncode
        assert code is not None
        result = Result(code, (out or b"").decode(), (err or b"").decode())
        assert "Traceback" not in result.err
        return result


StartCommand = Callable[..., Awaitable[Command]]
RunCommand = Callable[..., Awaitable[Result]]


@pytest.fixture
async def start_command() -> AsyncIterator[StartCommand]:
    """Start the command; what still runs at the end of the test is killed."""
    started: list[Command] = []

    async def start(
        *arguments: str | Path,
        stdin: int | IO[bytes] = asyncio.subprocess.PIPE,
        stdout: int = asyncio.subprocess.PIPE,
        stderr: int = asyncio.subprocess.PIPE,
        modules: Path | None = None,
        **env: str,
    ) -> Command:
        """`modules` is a folder whose modules go before all others."""
        folders = [str(modules or ""), str(CLIENT), os.environ.get("PYTHONPATH", "")]
        path = os.pathsep.join(filter(None, folders))
        clean = {k: v for k, v in os.environ.items() if k != "STREAMER_TOKEN"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "streamer_client",
            *map(str, arguments),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={**clean, "PYTHONPATH": path, **env},
        )
        started.append(Command(process))
        return started[-1]

    yield start
    for command in started:
        with suppress(ProcessLookupError):
            command.process.kill()
        await command.process.communicate()


@pytest.fixture
def run_command(start_command: StartCommand) -> RunCommand:
    """Run the command to its end."""

    async def run(*arguments: str | Path, stdin: bytes | None = None, **more: Any) -> Result:
        return await (await start_command(*arguments, **more)).result(stdin)

    return run


FAKE_SOUNDDEVICE = """
import threading
class PortAudioError(Exception): pass
class RawInputStream:
    def __init__(self, *, samplerate, channels, dtype, blocksize, callback):
        assert (samplerate, channels, dtype, blocksize) == (16000, 1, "int16", 320)
        self.callback = callback
        self.end = threading.Event()
    def __enter__(self):
        self.thread = threading.Thread(target=self.record)
        self.thread.start()
    def record(self):
        while not self.end.wait(0.001):
            self.callback(memoryview(b"m" * BLOCK_BYTES), BLOCK_BYTES // 2, None, None)
    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
"""


FakeMicrophone = Callable[..., Path]


@pytest.fixture
def fake_microphone(tmp_path: Path) -> FakeMicrophone:
    """Make a `sounddevice` that hears a block every millisecond; returns its folder, for `modules`.

    Larger blocks than the 20 ms that are asked for make one that outruns every connection.
    """

    def make(block_bytes: int = 640) -> Path:
        written = FAKE_SOUNDDEVICE.replace("BLOCK_BYTES", str(block_bytes))
        (tmp_path / "sounddevice.py").write_text(written)
        return tmp_path

    return make


def pcm_wav(audio: bytes, sample_rate: int = 16_000, channels: int = 1) -> bytes:
    """A 16-bit WAV file."""
    frame_bytes = channels * 2
    form = struct.pack(
        "<HHIIHH", 1, channels, sample_rate, sample_rate * frame_bytes, frame_bytes, 16
    )
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(audio))
    return b"RIFF" + struct.pack("<I", len(body) + len(audio)) + body + audio


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """A recording of half a second: 16 000 bytes of 16 kHz mono 16-bit samples, all different."""
    path = tmp_path / "speech.wav"
    path.write_bytes(pcm_wav(struct.pack("<8000h", *range(8000))))
    return path

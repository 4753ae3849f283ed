"""LiveKit Agents and Pipecat, unchanged but for the address: texts, refusals, reconnecting."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from streamer.weights.manifest import require
from tests.end_to_end.clients.programs import KEY, agents_python, python_program
from tests.end_to_end.conftest import Launch
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import two_cities, word_error_rate
from tools.harness.streams import client, stream_audio, transcript

RECORDINGS = require("moonshine-tiny-en")
TOKEN = "correct-horse"

PROGRAMS = {"livekit": "livekit_agents.py", "pipecat": "pipecat_services.py"}
"""By the name of the environment."""

SERVICES = ("deepgram", "flux", "openai", "assemblyai")

DIALECTS = ("deepgram", "flux", "realtime", "assemblyai")
"""The same, as the metrics have them."""

SHORT_PAUSES: dict[str, object] = {"min_silence_ms": 300}
SEGMENTATION: dict[tuple[str, str], dict[str, object]] = {
    ("livekit", "deepgram"): SHORT_PAUSES,
    ("livekit", "openai"): {"min_silence_ms": 350, "prefix_padding_ms": 600},
    ("livekit", "assemblyai"): SHORT_PAUSES,
    ("pipecat", "assemblyai"): SHORT_PAUSES,
}
"""What they ask for, where it is not the server's default."""

MOST_ERRORS = 0.08
"""Word error rate beside our own protocol: LiveKit's resampler adds dither, which changes a word
or two of 120."""

pytestmark = pytest.mark.timeout(300)

Line = dict[str, Any]


class Program:
    """A program with the plugins of a framework.

    Args:
        process: That runs it.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def until(self, kind: str, services: set[str], word: str = "") -> list[Line]:
        """Read the lines until each service has printed one of a kind, and with a last word."""
        found = []
        left = set(services)
        async with asyncio.timeout(3 * TIMEOUT_S):
            while left:
                found.append(line := await self._next())
                if line["type"] == kind and last_word(line.get("text", "")).endswith(word):
                    left.discard(line["service"])
        return found

    async def ended(self) -> list[Line]:
        """End its input; returns the lines that were left."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        printed, complaints = await asyncio.wait_for(self._process.communicate(), TIMEOUT_S)
        assert self._process.returncode == 0, complaints.decode()
        return [json.loads(line) for line in printed.splitlines()]

    async def _next(self) -> Line:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            _, complaints = await self._process.communicate()
            raise AssertionError(complaints.decode())
        shown: Line = json.loads(line)
        return shown


@contextlib.asynccontextmanager
async def running(
    framework: str, port: int, recording: str, *services: str, key: str = KEY
) -> AsyncIterator[Program]:
    """Run the plugins of a framework on a recording, over and over."""
    process = await asyncio.create_subprocess_exec(
        *python_program(agents_python(framework), PROGRAMS[framework]),
        *(f"http://127.0.0.1:{port}", key, str(RECORDINGS / recording), *services),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@contextlib.asynccontextmanager
async def balancer(servers: list[Server]) -> AsyncIterator[int]:
    """A port that leads each new connection to the last of some servers."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", servers[-1].port)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65_536):
                    target.write(data)
            target.close()

        await asyncio.gather(copy(reader, forth), copy(back, writer))

    relays = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with relays:
        yield relays.sockets[0].getsockname()[1]


def last_word(text: str) -> str:
    words: list[str] = re.findall(r"\w+", text.lower())
    return words[-1] if words else ""


def of(service: str, lines: list[Line], kind: str) -> list[Line]:
    return [line for line in lines if (line["service"], line["type"]) == (service, kind)]


@pytest.mark.parametrize("framework", PROGRAMS)
async def test_the_words_of_our_own_protocol(transcriber: Server, framework: str) -> None:
    async with running(framework, transcriber.port, "two_cities.wav", *SERVICES) as program:
        lines = await program.until("final_transcript", {*SERVICES}, word="only")
        rest = await program.ended()
    for service in SERVICES:
        vad = SEGMENTATION.get((framework, service), {})
        ours = transcript(await stream_audio(transcriber, two_cities(), vad=vad))
        texts = [line["text"] for line in of(service, lines, "final_transcript")]
        ends = [last_word(text) for text in texts].index("only") + 1
        assert word_error_rate(ours, " ".join(texts[:ends])) <= MOST_ERRORS, service
        assert not of(service, lines + rest, "error"), service


@pytest.mark.parametrize("framework", PROGRAMS)
async def test_a_wrong_token(launch: Launch, framework: str) -> None:
    """They give up at once, each with its own error."""
    server = launch({"model": {"type": "standin"}, "access": {"tokens": [TOKEN]}})
    async with running(framework, server.port, "beckett.wav", *SERVICES, key="wrong") as program:
        lines = await program.until("ended", {*SERVICES})
        await program.ended()
    for service in SERVICES:
        (error,) = of(service, lines, "error")
        if framework == "pipecat":
            assert error["category"] == "authentication"
        elif service in ("deepgram", "flux"):
            assert (error["error"], error["status"]) == ("APIStatusError", 401)
        else:  # these leave aiohttp's as it is
            assert error["error"] == "WSServerHandshakeError"
            assert "401" in error["message"]
            assert not error["recoverable"]


RETRYING = {"livekit": ("deepgram", "flux"), "pipecat": SERVICES}
"""Those that try again when the server is full."""


@pytest.mark.parametrize("framework", PROGRAMS)
async def test_a_full_server(launch: Launch, framework: str) -> None:
    """They try again, and are served when there is room."""
    services = RETRYING[framework]
    limits = {"max_sessions": len(services)}
    server = launch({"model": {"type": "standin"}, "limits": limits})
    async with contextlib.AsyncExitStack() as sockets:
        for _ in services:
            await (await sockets.enter_async_context(client(server))).start()
        async with running(framework, server.port, "beckett.wav", *services) as program:
            refused = await program.until("error", {*services})
            await sockets.aclose()
            await program.until("final_transcript", {*services})
            await program.ended()
    for service in services:
        error = of(service, refused, "error")[0]
        if framework == "livekit":
            assert (error["error"], error["status"]) == ("APIStatusError", 503)
            assert error["recoverable"]
        else:
            assert error["category"] in ("server", "connectivity")


@pytest.mark.parametrize("framework", PROGRAMS)
async def test_a_server_that_ends(launch: Launch, tmp_path: Path, framework: str) -> None:
    """They connect again, and go on with the next server."""
    config = {"model": {"type": "standin"}, "limits": {"drain_seconds": 5}}
    servers = [launch(config)]
    async with (
        balancer(servers) as port,
        running(framework, port, "beckett.wav", *SERVICES) as program,
    ):
        await program.until("interim_transcript", {*SERVICES})
        folder = tmp_path / "next"
        folder.mkdir()
        following = Server(folder, config)
        try:
            await asyncio.to_thread(following.wait_ready)
            servers.append(following)  # a balancer finds that out before the first one ends
            await asyncio.to_thread(servers[0].end_by_signal, signal.SIGTERM)
            lines = []
            if framework == "livekit":
                lines = await program.until("error", {*SERVICES})
            arrived = [f'streamer_sessions_total{{dialect="{name}"' for name in DIALECTS]
            await asyncio.to_thread(
                wait_until,
                lambda: all(name in following.get("/metrics").text for name in arrived),
                "all have connected again",
            )
            lines += await program.until("final_transcript", {*SERVICES})
            await program.ended()
        finally:
            following.stop()
    if framework == "livekit":
        for service in SERVICES:
            (error,) = of(service, lines, "error")
            # The second is what a plugin reports that was about to send.
            noticed = (error["error"], error["status"])
            assert noticed in (("APIStatusError", 1012), ("APIConnectionError", None))
            assert error["recoverable"]

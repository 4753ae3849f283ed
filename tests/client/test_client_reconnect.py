"""`--reconnect`: servers that end, die, have no room and come back."""

from __future__ import annotations

import asyncio
import json
import signal
import struct
from contextlib import suppress
from http import HTTPStatus
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from tools.harness.process import TIMEOUT_S
from tools.harness.sounds import beckett

if TYPE_CHECKING:
    from pathlib import Path

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from tests.client.conftest import (
        Command,
        FakeMicrophone,
        Peer,
        RunCommand,
        ServeScript,
        StartCommand,
    )
    from tests.end_to_end.conftest import Launch
    from tools.harness.process import Server

SPEECH = struct.pack("<8000h", *range(8000))
SIMPLE = {"model": {"type": "standin"}, "simple": {"chunk_seconds": 0.25}}


async def answer(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.segment(0.0, peer.audio_s, text="the rest")
    await peer.finish()


async def test_a_server_that_goes_away_and_another_that_goes_on(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    first = asyncio.Event()

    async def script(peer: Peer) -> None:
        if first.is_set():
            await answer(peer)
            return
        first.set()
        await peer.begin()
        await peer.read_audio(3200)
        await peer.go_away()

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--reconnect")
    assert result.code == 0
    assert result.out == "[00:00.0 → 00:00.1] before\n[00:00.1 → 00:00.5] the rest\n"
    again, connected, summary = result.err.splitlines()[1:]
    assert again.startswith("restarting; connecting again in 0.")
    assert connected == "connected again; nothing is lost"
    assert ", 2 segments, reconnected once, 0.0 s lost, trace " in summary
    before, after = server.peers
    assert before.start["trace_id"] == after.start["trace_id"]
    assert bytes(before.audio)[:3200] + bytes(after.audio) == SPEECH


async def test_without_it_a_lost_connection_is_the_end(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.connection.close(1012)

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url)
    assert result.code == 5
    assert len(server.peers) == 1


async def test_a_server_without_room_is_asked_when_it_says(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    times: list[float] = []

    def gate(connection: ServerConnection, request: Request) -> Response | None:
        times.append(asyncio.get_running_loop().time())
        if len(times) > 1:
            return None
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "no")
        response.headers["Retry-After"] = "1"
        return response

    server = await serve_script(answer, gate)
    result = await run_command("-i", speech, "-a", server.url, "--reconnect")
    assert result.code == 0
    assert times[1] - times[0] >= 1
    assert "cannot take another stream now (HTTP 503); connecting again in 1." in result.err


async def test_it_gives_up(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.connection.close(1013)

    server = await serve_script(script)
    result = await run_command("-i", speech, "-a", server.url, "--reconnect", "1.5")
    assert result.code == 5
    assert len(server.peers) >= 2
    assert result.last_line.startswith(
        "streamer-client: gave up after 1.5 s of reconnecting: overloaded: "
    )
    assert result.last_line.endswith(" of 0.5 s of audio were unsent")


async def test_what_cannot_pass_is_not_tried_again(
    serve_script: ServeScript, run_command: RunCommand, speech: Path
) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(HTTPStatus.UNAUTHORIZED, "no") if server.peers else None

    async def script(peer: Peer) -> None:
        await peer.begin()
        peer.connection.transport.abort()

    server = await serve_script(script, gate)
    result = await run_command("-i", speech, "-a", server.url, "--reconnect")
    assert result.code == 4
    assert "requires a token" in result.last_line


async def test_ctrl_c_ends_the_attempts(
    serve_script: ServeScript, start_command: StartCommand, speech: Path
) -> None:
    def gate(connection: ServerConnection, request: Request) -> Response | None:
        if not server.peers:
            return None
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "no")
        response.headers["Retry-After"] = "100"
        return response

    async def script(peer: Peer) -> None:
        await peer.begin()
        peer.connection.transport.abort()

    server = await serve_script(script, gate)
    command = await start_command("-i", speech, "-a", server.url, "--reconnect")
    await said(command, "(HTTP 503); connecting again in 1")
    command.interrupt()
    result = await command.result()
    assert result.code == 5
    assert "s of audio were unsent" in result.last_line


async def test_a_source_that_is_silent_is_kept_alive(
    launch: Launch, start_command: StartCommand
) -> None:
    server = launch({**SIMPLE, "limits": {"idle_seconds": 7}})
    command = await start_command("-i", "-", "-a", address(server), "--output", "jsonl")
    await feed(command, 0, 1)
    await heard(command, 1.0)
    await asyncio.sleep(9)  # the silence itself is what is tested
    await feed(command, 1, 2)
    result = await command.result(b"")
    assert result.code == 0
    assert json.loads(result.out.splitlines()[-1])["audio_seconds"] == 2.0


async def test_a_microphone_goes_on_and_what_was_lost_is_said(
    serve_script: ServeScript, start_command: StartCommand, fake_microphone: FakeMicrophone
) -> None:
    microphone = fake_microphone(block_bytes=32_000)
    back = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.begin()
        await peer.read_audio()
        if len(server.peers) == 1:
            peer.connection.transport.abort()
            return
        back.set()
        await peer.read_to_stop()
        await peer.finish()

    def gate(connection: ServerConnection, request: Request) -> Response | None:
        if len(server.peers) != 1:
            return None
        response = connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "no")
        refused.append(response)
        response.headers["Retry-After"] = "1"
        return response if len(refused) == 1 else None

    refused: list[Response] = []
    server = await serve_script(script, gate)
    command = await start_command(
        "--mic", "-a", server.url, "--reconnect", "--output", "jsonl", modules=microphone
    )
    await back.wait()
    command.interrupt()
    result = await command.result()
    assert result.code == 5
    (lost,) = [e for e in map(json.loads, result.out.splitlines()) if e["type"] == "lost"]
    seconds = lost["end_time"] - lost["start_time"]
    assert seconds > 1
    assert f"]: {seconds:.1f} s of audio" in result.err
    assert result.last_line == f"streamer-client: {seconds:.1f} s of audio were lost; see above"


def address(server: Server, endpoint: str = "simple") -> str:
    return f"ws://127.0.0.1:{server.port}/api/v1/{endpoint}"


async def feed(command: Command, start_s: float, end_s: float) -> None:
    stdin = command.process.stdin
    assert stdin is not None
    stdin.write(beckett().part(start_s, end_s))
    await stdin.drain()


async def heard(command: Command, until_s: float) -> list[dict[str, Any]]:
    """All events up to the segment that ends then."""
    assert command.process.stdout is not None
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(TIMEOUT_S):
        while not events or events[-1].get("end_time", 0) < until_s:
            events.append(json.loads(await command.process.stdout.readline()))
    return events


async def said(command: Command, text: str) -> None:
    """Wait for a line on standard error."""
    assert command.process.stderr is not None
    async with asyncio.timeout(TIMEOUT_S):
        while text not in (await command.process.stderr.readline()).decode():
            pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_live_source_over_a_restarted_server_loses_and_repeats_nothing(
    launch: Launch, start_command: StartCommand, number: signal.Signals
) -> None:
    server = launch({**SIMPLE, "limits": {"drain_seconds": 2}})
    port = server.port
    command = await start_command(
        "-i", "-", "-a", address(server), "--reconnect", "--output", "jsonl"
    )
    await feed(command, 0, 2.1)
    events = await heard(command, 2.0)
    server.send_signal(number)
    await said(command, "; connecting again in ")
    await feed(command, 2.1, 4)  # while there is no server
    await asyncio.to_thread(server.process.wait, TIMEOUT_S)
    await asyncio.to_thread(launch, SIMPLE, "--port", str(port))
    await feed(command, 4, 6)
    result = await command.result(b"")
    assert result.code == 0
    assert "connected again; nothing is lost" in result.err
    events += map(json.loads, result.out.splitlines())
    segments = [event for event in events if event["type"] == "segment"]
    assert segments[0]["start_time"] == 0
    assert segments[-1]["end_time"] == 6
    for before, after in pairwise(segments):
        assert before["end_time"] == after["start_time"]
    assert sum(segment["count"] for segment in segments) == 6 * 16_000


async def test_speech_of_a_recording_over_a_restarted_server(
    launch: Launch, start_command: StartCommand, run_command: RunCommand, tmp_path: Path
) -> None:
    recording = tmp_path / "beckett.flac"
    audio = beckett()
    soundfile.write(recording, np.frombuffer(audio.data, "<i2"), audio.sample_rate)
    server = launch(SIMPLE)
    port = server.port
    flags = ["-i", recording, "-a", address(server, "segmented"), "--output", "jsonl"]
    whole = await run_command(*flags)
    command = await start_command(*flags, "--reconnect", "--real-time")
    events = await heard(command, 1.0)
    server.send_signal(signal.SIGKILL)
    await said(command, "; connecting again in ")
    await asyncio.to_thread(server.process.wait, TIMEOUT_S)
    await asyncio.to_thread(launch, SIMPLE, "--port", str(port))
    result = await command.result()
    assert result.code == 0
    assert "connected again; nothing is lost" in result.err
    events += map(json.loads, result.out.splitlines())
    wanted, found = spans(map(json.loads, whole.out.splitlines())), spans(events)
    assert len(found) == len(wanted)
    assert np.array(found) == pytest.approx(np.array(wanted), abs=0.3)


def spans(events: Any) -> list[tuple[float, float]]:
    return [(e["start_time"], e["end_time"]) for e in events if e["type"] == "segment"]


class Cutter:
    """A network that breaks a connection once so many bytes went to the server."""

    def __init__(self, port: int, after_bytes: list[int]) -> None:
        self._port = port
        self._after_bytes = after_bytes

    async def __aenter__(self) -> Cutter:
        self._listener = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._listener.close()

    async def _pass_on(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        left = self._after_bytes.pop(0) if self._after_bytes else 10**9
        async with asyncio.TaskGroup() as tasks:
            back = tasks.create_task(self._copy(server, to_client))
            while left > 0 and (data := await client.read(min(left, 4096))):
                to_server.write(data)
                await to_server.drain()
                left -= len(data)
            if left == 0:
                to_client.transport.abort()
                to_server.transport.abort()
                back.cancel()
            else:
                to_server.write_eof()
        to_client.close()
        to_server.close()

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(4096):
                to.write(data)
                await to.drain()


async def test_connections_that_break_again_and_again(
    launch: Launch, run_command: RunCommand, tmp_path: Path
) -> None:
    """Of equal chunks of two channels, none is lost and none comes twice."""
    recording = tmp_path / "stereo.wav"
    soundfile.write(recording, np.zeros((20 * 16_000, 2), np.int16), 16_000)
    server = launch(SIMPLE)
    async with Cutter(server.port, [100_001, 300_003, 200_002]) as network:
        url = f"ws://127.0.0.1:{network.port}/api/v1/simple"
        result = await run_command("-i", recording, "-a", url, "--reconnect", "--output", "jsonl")
    assert result.code == 0
    assert result.err.count("connected again; nothing is lost") == 3
    segments = [e for e in map(json.loads, result.out.splitlines()) if e["type"] == "segment"]
    for channel in (0, 1):
        chunks = spans(e for e in segments if e["channel"] == channel)
        assert chunks[0][0] == 0
        assert chunks[-1][1] == 20
        for before, after in pairwise(chunks):
            assert after[0] == pytest.approx(before[1], abs=0.13), "half a chunk at most"


async def test_speech_of_two_channels_over_connections_that_break(
    launch: Launch, run_command: RunCommand, tmp_path: Path
) -> None:
    recording = tmp_path / "stereo.wav"
    audio = np.frombuffer(beckett().data, "<i2")
    both = np.stack([audio, np.roll(audio, 20_000)], axis=1)
    soundfile.write(recording, both, 16_000)
    server = launch(SIMPLE)
    flags = ["-i", recording, "--output", "jsonl", "--reconnect"]
    whole = await run_command(*flags, "-a", address(server, "segmented"))
    async with Cutter(server.port, [150_001, 250_003, 100_000]) as network:
        url = f"ws://127.0.0.1:{network.port}/api/v1/segmented"
        result = await run_command(*flags, "-a", url)
    assert result.code == 0
    assert result.err.count("connected again; nothing is lost") == 3
    for channel in (0, 1):
        wanted, found = (
            spans(e for e in map(json.loads, one.out.splitlines()) if e.get("channel") == channel)
            for one in (whole, result)
        )
        assert len(found) == len(wanted)
        assert np.array(found) == pytest.approx(np.array(wanted), abs=0.3)

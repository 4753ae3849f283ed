"""Clients of every protocol that flood the server: it costs little, and disturbs nobody."""

import asyncio
import base64
import contextlib
import json
import random
import socket
from collections.abc import Callable
from typing import NamedTuple

import psutil
import pytest

from tests.end_to_end.conftest import Launch
from tests.end_to_end.wyoming.wyoming_socket import port_of, with_port
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.raw import BINARY, TEXT, frame, reset_on_close, upgrade_request
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio

FLOODERS = 8
MEGABYTE = 1 << 20
RAW = "encoding=linear16&sample_rate=16000"
NOISE = base64.b64encode(random.Random(1).randbytes(780_000)).decode()


def text(kind: str, **fields: object) -> bytes:
    return frame(TEXT, json.dumps({"type": kind, **fields}).encode())


def wyoming(kind: str, payload: bytes = b"", **data: object) -> bytes:
    lengths = {"payload_length": len(payload)} if payload else {}
    return json.dumps({"type": kind, "data": data, **lengths}).encode() + b"\n" + payload


FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


class Flood(NamedTuple):
    """What each client sends.

    Attributes:
        path: Of the socket; "" = the port for Wyoming.
        again: Sent over and over.
        most_mb: MiB by which the server may grow.
    """

    path: str
    again: bytes
    most_mb: int = 16


FLOODS: dict[str, Callable[[], Flood]] = {
    "deepgram audio": lambda: Flood(f"/v1/listen?{RAW}", frame(BINARY, b"x") * 1_000),
    "deepgram finalize": lambda: Flood(f"/v1/listen?{RAW}", text("Finalize") * 500),
    "flux configure": lambda: Flood(
        f"/v2/listen?{RAW}", text("Configure", thresholds={"eot_threshold": 0.6}) * 500
    ),
    "realtime base64": lambda: Flood(
        "/v1/realtime", text("input_audio_buffer.append", audio=NOISE), most_mb=64
    ),
    "realtime small base64": lambda: Flood(
        "/v1/realtime", text("input_audio_buffer.append", audio="AAAA") * 500
    ),
    "realtime mistakes": lambda: Flood("/v1/realtime", text("?") * 500),
    "assemblyai configuration": lambda: Flood(
        "/v3/ws?sample_rate=16000", text("UpdateConfiguration", min_turn_silence=400) * 500
    ),
    "vosk audio": lambda: Flood("/vosk", frame(BINARY, b"xx") * 1_000),
    "vosk resets": lambda: Flood("/vosk", frame(TEXT, b'{"reset": 1}') * 500),
    "wyoming audio": lambda: Flood("", wyoming("audio-chunk", b"xx", **FORMAT) * 500),
    "wyoming pings": lambda: Flood("", wyoming("ping", text="?") * 500),
    "wyoming commands": lambda: Flood("", wyoming("audio-stop") * 500),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_costs_little_and_disturbs_nobody(launch: Launch, kind: str) -> None:
    """Eight clients send as fast as they can; how late others get their events, see `make soak`."""
    flood = FLOODS[kind]()
    server = launch(with_port({"model": {"type": "standin"}}))
    await stream_audio(server, beckett())
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    with contextlib.ExitStack() as stack:
        floods = [stack.enter_context(opened(server, flood.path)) for _ in range(FLOODERS)]
        async with asyncio.TaskGroup() as tasks:
            pouring = tasks.create_task(pour(floods, flood.again))
            for _ in range(3):
                assert len(events_of(await stream_audio(server, beckett()), "segment")) == 6
            pouring.cancel()
        assert process.memory_info().rss - before < flood.most_mb * MEGABYTE
        for each in floods:
            reset_on_close(each)
    # All of them are noticed to be gone, though much of what they sent is never read.
    wait_until(lambda: len(process.net_connections("tcp")) == 2, "the sockets are closed")


def opened(server: Server, path: str) -> socket.socket:
    """A connection that does not wait."""
    port = server.port if path else port_of(server)
    raw = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    if path:
        raw.sendall(upgrade_request(path))
        assert raw.recv(4096).startswith(b"HTTP/1.1 101")
    raw.setblocking(False)
    return raw


async def pour(into: list[socket.socket], flood: bytes) -> None:
    """Send what fits, and take what comes, over and over."""
    unsent = [flood] * len(into)  # a message may be longer than what is sent at once
    while True:
        for number, each in enumerate(into):
            with contextlib.suppress(BlockingIOError, ConnectionError):
                sent = each.send(unsent[number])
                unsent[number] = unsent[number][sent:] or flood
            with contextlib.suppress(BlockingIOError, ConnectionError):
                each.recv(65_536)
        await asyncio.sleep(0.005)

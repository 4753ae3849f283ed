"""Clients that do not behave, each in its own way; none of them may disturb the others."""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from tools.harness.raw import BINARY, CONT, PING, START, TEXT, close_code, frame, upgrade_request
from tools.harness.sounds import Audio

TIMEOUT_S = 30.0
"""Seconds within which every misbehaving client has to be cut off."""

STEP_S = 0.005
"""Seconds between two writes of a flood."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Fault = Callable[[int, Audio, random.Random], Awaitable[None]]


class NotCutOff(Exception):
    """The server kept a misbehaving client for longer than it may."""


@contextlib.asynccontextmanager
async def connected(port: int, receive_buffer: int | None = None) -> AsyncIterator[Streams]:
    """A TCP connection; it ends with a reset."""
    raw = socket.socket()
    if receive_buffer:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    reader, writer = await asyncio.open_connection(sock=raw)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def upgraded(
    port: int, path: str = "segmented", receive_buffer: int | None = None
) -> AsyncIterator[Streams]:
    """A WebSocket with a stream; without one when the server refuses it."""
    async with connected(port, receive_buffer) as (reader, writer):
        writer.write(upgrade_request(f"/api/v1/{path}"))
        if b" 101 " in await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            writer.write(frame(TEXT, START))
            yield reader, writer
        else:
            yield reader, writer


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(TIMEOUT_S):
            while close_code(received) is None and (data := await reader.read(65_536)):
                received += data
            return received
    return received


async def _cut_off(reader: asyncio.StreamReader, what: str) -> bytes:
    try:
        return await _until_closed(reader)
    except TimeoutError:
        raise NotCutOff(what) from None


async def reset(port: int, audio: Audio, chance: random.Random) -> None:
    """Send audio for up to four seconds, then reset the connection."""
    async with upgraded(port) as (_, writer):
        step = 1_280
        for index in range(chance.randrange(1, 100)):
            writer.write(frame(BINARY, audio.data[index * step : (index + 1) * step]))
            await asyncio.sleep(0.04)


async def stall(port: int, audio: Audio, chance: random.Random) -> None:
    """Stop sending in the middle of a sentence, and continue to read."""
    async with upgraded(port) as (reader, writer):
        writer.write(frame(BINARY, audio.data[: 32 * chance.randrange(1_000, 2_000)]))
        await _cut_off(reader, "a client that stalls")


async def never_reads(port: int, audio: Audio, chance: random.Random) -> None:
    """Send requests without end, and read none of the answers."""
    async with upgraded(port, receive_buffer=2_048) as (_, writer):
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await _pour(writer, frame(TEXT, b"?") * 100, TIMEOUT_S, "a client that does not read")


async def small_messages(port: int, audio: Audio, chance: random.Random) -> None:
    """One byte at a time, as fast as they are taken."""
    async with upgraded(port) as (_, writer):
        await _pour(writer, frame(BINARY, b"x") * 500, chance.uniform(1, 4))


async def pings(port: int, audio: Audio, chance: random.Random) -> None:
    """Nothing but pings."""
    async with upgraded(port) as (_, writer):
        await _pour(writer, frame(PING, b"p" * 125) * 100, chance.uniform(1, 4))


async def fragments(port: int, audio: Audio, chance: random.Random) -> None:
    """A message that never ends."""
    async with upgraded(port) as (reader, writer):
        writer.write(frame(BINARY, b"x", flags=0))
        await _pour(writer, frame(CONT, b"x", flags=0) * 500, chance.uniform(1, 4))
        await _cut_off(reader, "a message in endless fragments")


async def too_large(port: int, audio: Audio, chance: random.Random) -> None:
    """A message over the limit."""
    async with upgraded(port) as (reader, writer):
        writer.write(frame(BINARY, bytes(chance.randrange(262_145, 3_000_000))))
        await _cut_off(reader, "a message that is too large")


async def garbage(port: int, audio: Audio, chance: random.Random) -> None:
    """Bytes that are no frames."""
    async with upgraded(port) as (reader, writer):
        writer.write(bytes([0xF3]) + chance.randbytes(2_000))
        await _cut_off(reader, "garbage in place of frames")


async def never_upgrades(port: int, audio: Audio, chance: random.Random) -> None:
    """Half a request."""
    async with connected(port) as (reader, writer):
        writer.write(upgrade_request()[: chance.randrange(0, 100)])
        await _cut_off(reader, "half a request")


async def never_starts(port: int, audio: Audio, chance: random.Random) -> None:
    """A WebSocket on which nothing is sent."""
    async with connected(port) as (reader, writer):
        writer.write(upgrade_request("/api/v1/simple"))
        await _cut_off(reader, "a socket without a start")


async def outruns(port: int, audio: Audio, chance: random.Random) -> None:
    """Minutes of audio at once, then a reset."""
    async with upgraded(port, "simple") as (_, writer):
        await _pour(writer, frame(BINARY, bytes(65_536)), chance.uniform(1, 3))


FAULTS: dict[str, Fault] = {
    "reset": reset,
    "stall": stall,
    "small messages": small_messages,
    "pings": pings,
    "fragments": fragments,
    "too large": too_large,
    "garbage": garbage,
    "never reads": never_reads,
    "never upgrades": never_upgrades,
    "never starts": never_starts,
    "outruns": outruns,
}


async def _pour(
    writer: asyncio.StreamWriter, data: bytes, seconds: float, must_end: str | None = None
) -> None:
    """Send as fast as it is read, for this time or until the connection is cut off.

    Raises:
        NotCutOff: It was not cut off, and `must_end` says that it has to be.
    """
    end_s = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end_s:
        if writer.transport.is_closing():
            return
        if writer.transport.get_write_buffer_size() < 65_536:
            writer.write(data)
        await asyncio.sleep(STEP_S)
    if must_end:
        raise NotCutOff(must_end)

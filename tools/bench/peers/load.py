"""Live streams to a peer: each plays its own list of utterances in real time."""

import asyncio
import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from streamer.vad.silero_network import SAMPLE_RATE
from tools.bench.peers.peer import Connection, Final, Peer
from tools.bench.peers.utterances import Playlist, gap

MESSAGE_S = 0.1
"""Seconds of audio in a message. It is sent when its last sample would have been recorded."""

SPREAD_S = 4.0
"""Seconds within which the streams begin."""

PATIENCE_S = 60.0
"""Seconds that texts may take after the last audio; what comes later is lost. It is long, so that
they are late on a crowded machine, not lost."""


@dataclass(frozen=True)
class Arrival:
    """A final, and the second of the stream at which it came."""

    final: Final
    at_s: float


@dataclass
class PlayedStream:
    """One stream: what it played, and what came back."""

    playlist: Playlist
    arrivals: list[Arrival] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    """By how much each message was sent too late."""
    broken: str = ""
    """Why the connection ended early."""


@dataclass(frozen=True)
class Message:
    """Something to do at a second of the stream."""

    due_s: float
    pcm: bytes
    begins: bool = False
    ends: bool = False


def messages(playlist: Playlist, *, told: bool) -> Iterator[Message]:
    """What is sent for a playlist.

    Args:
        playlist: What is played.
        told: Whether the peer is told where utterances begin and end; then it gets no gaps.
    """
    size = 2 * round(MESSAGE_S * SAMPLE_RATE)
    silence = gap()
    for begin_s, utterance in zip(playlist.begins_s, playlist.utterances, strict=True):
        pcm = utterance.pcm if told else utterance.pcm + silence
        for first in range(0, len(pcm), size):
            end = min(first + size, len(pcm))
            due_s = begin_s + end / 2 / SAMPLE_RATE
            yield Message(due_s, pcm[first:end], begins=first == 0, ends=end == len(pcm))


async def play(
    peer: Peer, port: int, playlists: Sequence[Playlist], patience_s: float | None = None
) -> list[PlayedStream]:
    """Play all of them at once, each on a stream of its own.

    Args:
        peer: That listens.
        port: On which it does.
        playlists: One for each stream.
        patience_s: Instead of `PATIENCE_S`.

    Returns:
        What came, by stream. A stream that ends early has fewer arrivals and says why.
    """
    chance = random.Random(0)
    played = [PlayedStream(each) for each in playlists]
    async with asyncio.TaskGroup() as tasks:
        for stream in played:
            delay_s = chance.random() * (SPREAD_S if len(played) > 1 else 0)
            tasks.create_task(_play_one(peer, port, stream, delay_s, patience_s or PATIENCE_S))
    return played


async def _play_one(
    peer: Peer, port: int, stream: PlayedStream, delay_s: float, patience_s: float
) -> None:
    await asyncio.sleep(delay_s)
    try:
        connection = await peer.connect(port)
    except OSError as error:
        stream.broken = f"not connected: {error}"
        return
    try:
        begin_s = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            receiver = tasks.create_task(_receive(connection, stream, begin_s))
            await _send(connection, stream, begin_s, told=peer.description.told)
            await asyncio.wait([receiver], timeout=patience_s)
            receiver.cancel()
    finally:
        await connection.close()


async def _send(
    connection: Connection, stream: PlayedStream, begin_s: float, *, told: bool
) -> None:
    try:
        for message in messages(stream.playlist, told=told):
            await asyncio.sleep(begin_s + message.due_s - time.perf_counter())
            late_s = time.perf_counter() - begin_s - message.due_s
            stream.late_ms.append(1000 * late_s)
            if message.begins:
                await connection.begin_utterance()
            await connection.send(message.pcm)
            if message.ends:
                await connection.end_utterance()
        await connection.finish()
    except OSError as error:
        stream.broken = f"sending failed: {error}"


async def _receive(connection: Connection, stream: PlayedStream, begin_s: float) -> None:
    with contextlib.suppress(OSError):
        async for final in connection.finals():
            stream.arrivals.append(Arrival(final, time.perf_counter() - begin_s))

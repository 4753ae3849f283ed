"""A client that makes the server buffer as much audio as its limits allow."""

import asyncio
import contextlib
import signal
import time
from typing import Any

import numpy as np
import soxr

from tools.harness.sounds import Audio, beckett, encode, recording
from tools.harness.streams import Client, client
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import reference
from tools.soak.server_under_test import ServerUnderTest, running
from tools.soak.soak_report import SoakRow
from tools.soak.verdict import judge

CHANNELS = 8
PATIENCE_S = 3.0
"""Seconds; when nothing is read from a client for this time, all buffers are full."""

STARTS: dict[str, dict[str, Any]] = {
    "one channel": {"channels": 1},
    "eight channels": {"channels": CHANNELS},
    "eight channels, segments of a minute": {
        "channels": CHANNELS,
        "vad": {"threshold": 0.05, "min_silence_ms": 10_000, "max_segment_ms": 60_000},
    },
}


async def greedy(share: float, progress: OnProgress) -> SoakRow:
    """The workers stand still; a client sends speech on every channel, faster than real time."""
    begun_s, numbers = time.monotonic(), dict[str, float]()
    for done, (name, start_fields) in enumerate(STARTS.items()):
        progress(done / len(STARTS))
        config = {
            "model": {"type": "standin"},
            "inference": {"workers": 1, "timeout_seconds": 600.0},
        }
        with running(config) as target:
            await reference(target.port, beckett())
            before = target.footprint()
            grown = await _fill(target, share, before.memory_mb, **start_fields)
            numbers[f"{name}: MiB"] = round(grown)
            row = SoakRow("greedy session", time.monotonic() - begun_s, before=before)
            # What the allocator keeps of its peak is not measured here.
            judge(row, target, growth_mb=grown)
    row.numbers = numbers
    return row


async def _fill(
    target: ServerUnderTest, share: float, before_mb: float, *, channels: int, **start: object
) -> float:
    """Send until nothing more is read; returns the growth of memory in MiB."""
    audio = _talk(channels)
    (worker,) = target.server.workers()
    async with client(target.port) as socket:
        await socket.start(audio, **start)
        await socket.events_until("started")
        worker.send_signal(signal.SIGSTOP)
        most_mb = before_mb
        with contextlib.suppress(TimeoutError):
            for _ in range(round(20 * max(share, 0.2))):
                most_mb = max(most_mb, await _send(socket, audio, target))
        most_mb = max(most_mb, target.memory_mb())
        worker.send_signal(signal.SIGCONT)
        socket.abort()
    return most_mb - before_mb


async def _send(socket: Client, audio: Audio, target: ServerUnderTest) -> float:
    """The whole audio, in messages that are each taken in time."""
    step = 65_536
    for first in range(0, len(audio.data), step):
        async with asyncio.timeout(PATIENCE_S):
            await socket.send(audio.data[first : first + step], (step,))
    return target.memory_mb()


def _talk(channels: int) -> Audio:
    """Three quarters of a minute of speech, the same on every channel."""
    samples, rate = recording("two_cities.wav")
    mono = soxr.resample(samples, rate, 16_000)
    return encode(np.repeat(mono[:, None], channels, axis=1), 16_000)

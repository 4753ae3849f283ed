"""Clients that flood the server, and those beside them."""

import asyncio
import base64
import contextlib
import multiprocessing
import random
import socket
import time
from collections.abc import Generator
from typing import NamedTuple

from tools.harness.raw import BINARY, CONT, PING, START, TEXT, frame, upgrade_request
from tools.harness.sounds import beckett
from tools.soak.on_progress import OnProgress
from tools.soak.played_streams import MESSAGE_S, StreamTally, play, reference
from tools.soak.server_under_test import ServerUnderTest, running
from tools.soak.soak_report import SoakRow, percentile
from tools.soak.verdict import GROWTH_MB, judge

STREAMS, FLOODERS = 10, 8
PROBE_EVERY = 5
"""Messages of audio."""
WORSE_MS = 5.0
FRAGMENTS = (frame(BINARY, b"x", flags=0) + frame(CONT, b"x", flags=0) * 997) + frame(CONT, b"x")
STEP_S = 0.005
"""Between two attempts to pour in more."""

OWN = upgrade_request() + frame(TEXT, START)
REALTIME = upgrade_request("/v1/realtime")
VOSK = upgrade_request("/vosk")


def _appended(size: int) -> bytes:
    """A message of `/v1/realtime` with so many bytes of noise as audio."""
    audio = base64.b64encode(random.Random(1).randbytes(size)).decode()
    return frame(TEXT, b'{"type":"input_audio_buffer.append","audio":"%s"}' % audio.encode())


class Flood(NamedTuple):
    """What clients pour in.

    Attributes:
        hello: Sent once.
        again: Sent over and over; empty = nobody does.
    """

    hello: bytes = OWN
    again: bytes = b""


async def neighbours(share: float, progress: OnProgress) -> SoakRow:
    """Eight clients flood the server; others get their answers as soon as before."""
    kinds = {
        "quiet": Flood(),
        "messages": Flood(again=frame(BINARY, b"x") * 1_000),
        "fragments": Flood(again=FRAGMENTS),
        "pings": Flood(again=frame(PING) * 1_000),
        "base64": Flood(REALTIME, _appended(780_000)),
        "small base64": Flood(REALTIME, _appended(3) * 1_000),
        "bad messages": Flood(again=frame(TEXT, b"?") * 1_000),
        "audio with replies": Flood(VOSK, frame(BINARY, b"xx") * 1_000),
        "quiet again": Flood(),
    }
    config = {"model": {"type": "standin"}, "limits": {"max_sessions_per_ip": 0}}
    numbers: dict[str, float] = {}
    everyone = StreamTally([])
    with running(config) as target:
        everyone.reference = await reference(target.port, beckett())
        before, begun_s = target.footprint(), time.monotonic()
        for done, (kind, flood) in enumerate(kinds.items()):
            tally = StreamTally(everyone.reference)
            at_s, cpu_s = time.monotonic(), target.cpu_s()
            with _flooding(target.port, flood):
                most_mb = await _play_beside(target, tally)
            progress((done + 1) / len(kinds))
            numbers[f"{kind}: median ms"] = round(percentile(tally.probe_ms, 50), 1)
            numbers[f"{kind}: p99 ms"] = round(percentile(tally.probe_ms, 99), 1)
            numbers[f"{kind}: memory MiB"] = round(most_mb - before.memory_mb, 1)
            used = (target.cpu_s() - cpu_s) / (time.monotonic() - at_s)
            numbers[f"{kind}: CPU %"] = round(100 * used)
            everyone.add(tally)
        row = SoakRow("noisy neighbours", time.monotonic() - begun_s, everyone, before=before)
        row.numbers = numbers
        judge(row, target)
    quiet_ms = max(numbers["quiet: p99 ms"], numbers["quiet again: p99 ms"])
    for kind in kinds:
        if numbers[f"{kind}: p99 ms"] > quiet_ms + WORSE_MS:
            row.problems.append(f"a flood of {kind} delays others by more than {WORSE_MS:g} ms")
        if numbers[f"{kind}: memory MiB"] > GROWTH_MB:
            row.problems.append(f"a flood of {kind} costs more than {GROWTH_MB:g} MiB")
    return row


async def _play_beside(target: ServerUnderTest, tally: StreamTally) -> float:
    """Play well-behaved streams with probes; returns the peak of memory in MiB."""
    most_mb, chance = 0.0, random.Random(1)
    async with asyncio.TaskGroup() as tasks:
        playing = [
            tasks.create_task(_one(target, tally, chance.uniform(0, MESSAGE_S * PROBE_EVERY)))
            for _ in range(STREAMS)
        ]
        while not all(task.done() for task in playing):
            most_mb = max(most_mb, target.memory_mb())
            await asyncio.sleep(0.2)
    return most_mb


async def _one(target: ServerUnderTest, tally: StreamTally, after_s: float) -> None:
    """Streams that began in the same moment would delay each other's questions."""
    await asyncio.sleep(after_s)
    await play(target.port, beckett(), tally, probe_every=PROBE_EVERY)


@contextlib.contextmanager
def _flooding(port: int, flood: Flood) -> Generator[None]:
    """Clients in another process that send as fast as they can; none when there is no flood."""
    if not flood.again:
        yield
        return
    process = multiprocessing.get_context("spawn").Process(target=_pour, args=(port, flood))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _pour(port: int, flood: Flood) -> None:
    with contextlib.ExitStack() as stack:
        flooders = []
        for _ in range(FLOODERS):
            flooder = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            flooder.sendall(flood.hello)
            flooder.setblocking(False)
            flooders.append(flooder)
        unsent = [flood.again] * FLOODERS  # a message is longer than what is sent at once
        while True:
            for number, flooder in enumerate(flooders):
                with contextlib.suppress(OSError):
                    sent = flooder.send(unsent[number])
                    unsent[number] = unsent[number][sent:] or flood.again
                with contextlib.suppress(OSError):
                    flooder.recv(65_536)
            time.sleep(STEP_S)

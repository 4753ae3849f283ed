"""A stream as messages: what client and server send, and when.

The session is the server's own, in simulated time: a client sends a recording in real time. The
detector and the model are real; a worker takes the time that the benchmarks have published.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from streamer.config.schema import Config
from streamer.models.moonshine.transcriber import Moonshine
from streamer.observe.monitor import Monitor
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tools.docs.scripted_socket import ScriptedSocket, WireMessage, services_of
from tools.docs.scripted_workers import RATE, PlannedBatch, ScriptedWorkers
from tools.harness.virtual_time import VirtualTimeLoop

BENCH = Path(__file__).parents[2] / "docs/performance/bench.json"
MODEL = "moonshine-tiny-en"
RECORDING = "beckett.wav"

MESSAGE = 320
"""Samples: 20 ms."""

FLUSH_S, STOP_S = 3.0, 4.1
"""Seconds of audio before the two requests: one in a pause, and one in a word."""


class PlayedStream(NamedTuple):
    """Samples, int16 [n] at 16 kHz, and the messages, in seconds since the first sample."""

    samples: np.ndarray
    messages: list[WireMessage]


Infer = Callable[[Floats], dict[str, object]]
"""Returns the fields of a segment, float32 [n] at 16 kHz."""


def played_stream(infer: Infer | None = None) -> PlayedStream:
    """Play the recording to a session; without a model given, the smaller one of the server."""
    infer = infer or Moonshine(require(MODEL)).infer
    samples, rate = soundfile.read(require(MODEL) / RECORDING, dtype="int16")
    assert rate == RATE
    samples = samples[: round(STOP_S * RATE)]
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return PlayedStream(samples, runner.run(_play(samples, infer)))


async def _play(samples: np.ndarray, infer: Infer) -> list[WireMessage]:
    loop = asyncio.get_running_loop()
    monitor = Monitor(loop.time)
    (published,) = json.loads(BENCH.read_text())["model"]
    factor = published["model CPU ms per speech s"] / 1_000

    def plan(segments: Sequence[Floats]) -> PlannedBatch:
        seconds = factor * sum(map(len, segments)) / RATE
        return PlannedBatch(seconds, [infer(segment) for segment in segments])

    async with ScriptedWorkers(plan, load_s=0.0).pool(1, monitor) as pool:
        socket = ScriptedSocket()
        session = socket.open_session(services_of(Config(), pool, monitor), "speech")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            begun_s = loop.time()
            socket.request(request="start", format={"sample_rate": RATE})
            for first in range(0, len(samples), MESSAGE):
                if first == round(FLUSH_S * RATE):
                    socket.request(request="flush")
                await asyncio.sleep(MESSAGE / RATE)
                socket.audio(samples[first : first + MESSAGE].tobytes())
            socket.request(request="stop")
            await asyncio.sleep(1)
            socket.close()
    return [each._replace(at_s=each.at_s - begun_s) for each in socket.messages]

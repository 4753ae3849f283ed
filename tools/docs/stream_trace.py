"""A stream as a trace: its spans, with a segment that waits, and whose worker dies.

The session and its tracer are the server's own, in simulated time; the worker follows a script.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import soundfile
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from streamer.config.schema import Config
from streamer.observe.monitor import Monitor
from streamer.onnx.graph import Floats
from streamer.telemetry.opentelemetry import OtelTracer, TraceIds
from streamer.weights.manifest import require
from tools.docs.scripted_socket import ScriptedSocket, services_of
from tools.docs.scripted_workers import RATE, PlannedBatch, ScriptedWorkers
from tools.docs.second_chance import start_s
from tools.docs.stream_messages import MESSAGE, MODEL, RECORDING
from tools.harness.virtual_time import VirtualTimeLoop

OTHER_S, STOP_S, CLOSES_S = 2.76, 3.2, 1.7
"""Seconds of audio before another client has a segment, and before the stream ends; and seconds
after which the client closes the socket."""

INFERENCE_S, DEATH_S = 0.4, 0.2
"""Seconds that a worker takes for a segment, and until it dies."""

DEADLY = 3
"""The batch of which the worker dies: the second segment of this stream."""


class TracedSpan(NamedTuple):
    """A span; moments in seconds since the first one began.

    Attributes:
        name: Of its kind.
        depth: How many spans are around it.
        begun_s: From.
        ended_s: To.
        failed: Whether its status is an error.
        inactive_s: When `inactive` was sent; None = it is no segment.
    """

    name: str
    depth: int
    begun_s: float
    ended_s: float
    failed: bool
    inactive_s: float | None


def traced_stream() -> list[TracedSpan]:
    """The spans of a stream: each behind the one that it is in, in the order of their beginning."""
    logging.disable()  # the pool reports that its worker dies
    try:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            spans = runner.run(_play())
    finally:
        logging.disable(logging.NOTSET)
    return _as_tree(sorted(spans, key=lambda span: _ns(span.start_time)), None, 0)


async def _play() -> Sequence[ReadableSpan]:
    loop = asyncio.get_running_loop()
    monitor = Monitor(loop.time)
    ids, exporter = TraceIds(), InMemorySpanExporter()
    provider = TracerProvider(id_generator=ids)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = OtelTracer(provider, ids, loop.time, record_text=False)
    samples, _ = soundfile.read(require(MODEL) / RECORDING, dtype="int16")
    batches = 0

    def plan(segments: Sequence[Floats]) -> PlannedBatch:
        nonlocal batches
        batches += 1
        if batches == DEADLY:
            return PlannedBatch(DEATH_S, None)
        return PlannedBatch(INFERENCE_S, [{} for _ in segments])

    async with ScriptedWorkers(plan, start_s()).pool(1, monitor) as pool:
        socket = ScriptedSocket()
        session = socket.open_session(services_of(Config(), pool, monitor, tracer), "speech")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            socket.request(request="start", format={"sample_rate": RATE})
            for first in range(0, round(STOP_S * RATE), MESSAGE):
                if first == round(OTHER_S * RATE):
                    audio = [np.zeros(RATE, np.float32)]
                    pool.submit(audio, "final", session="other", channel="other")
                await asyncio.sleep(MESSAGE / RATE)
                socket.audio(samples[first : first + MESSAGE].tobytes())
            socket.request(request="stop")
            await asyncio.sleep(CLOSES_S)
            socket.close()
    return exporter.get_finished_spans()


def _as_tree(
    spans: Sequence[ReadableSpan], around: ReadableSpan | None, depth: int
) -> list[TracedSpan]:
    zero_ns = min(_ns(span.start_time) for span in spans)
    outer = around and around.context.span_id
    tree = []
    for span in spans:
        if (span.parent and span.parent.span_id) == outer:
            moments = [_ns(event.timestamp) for event in span.events if event.name == "inactive"]
            tree.append(
                TracedSpan(
                    span.name,
                    depth,
                    (_ns(span.start_time) - zero_ns) / 1e9,
                    (_ns(span.end_time) - zero_ns) / 1e9,
                    not span.status.is_ok and not span.status.is_unset,
                    (moments[0] - zero_ns) / 1e9 if moments else None,
                )
            )
            tree += _as_tree(spans, span, depth + 1)
    return tree


def _ns(moment: int | None) -> int:
    assert moment is not None  # the span has ended
    return moment

"""What all channels of a stream share."""

from dataclasses import dataclass
from typing import Literal

from streamer.config.dialect_names import DialectName
from streamer.config.schema import Config
from streamer.inference.pool import WorkerPool
from streamer.observe.monitor import Monitor, Route
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.outbox import Outbox
from streamer.vad.engine import VadEngine

Segmentation = Literal["speech", "chunks", "whole"]
"""What ends a segment. `speech`: the VAD, when speech ends. `chunks`: its length, which is
`simple.chunk_seconds`. `whole`: only the end of the stream. A flush ends a segment in all three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamContext:
    """Everything that a stream's channels share; made once for each stream.

    Attributes:
        session_id: Of the socket or request; its jobs take turns with those of other sessions.
        route: The endpoint by which the audio came.
        dialect: The wire language in which it was asked for.
        segmentation: What ends a segment.
        progress: Whether it is to be reported how far the audio of a container is processed.
        config: All settings of the server.
        vad: Makes detectors; not used without `speech`.
        monitor: Receives what is measured.
        pool: Workers of the chosen model.
        sample_rate: The model's rate in Hz.
        outbox: Takes the events.
        trace: Of this stream.
    """

    session_id: str
    route: Route
    dialect: DialectName = "native"
    segmentation: Segmentation
    progress: bool = False
    config: Config
    vad: VadEngine
    monitor: Monitor
    pool: WorkerPool
    sample_rate: int
    outbox: Outbox
    trace: StreamTrace

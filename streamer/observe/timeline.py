"""The history of a segment: its latencies and its trace are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamer.observe.monitor import AttemptOutcome, SegmentOutcome


@dataclass(frozen=True, slots=True)
class Attempt:
    """One worker's work on a segment; moments in seconds on the machine's monotonic clock.

    Attributes:
        worker: Its name, `model-number`.
        worker_pid: The process in which the model ran.
        node: The machine on which the model ran; empty = the server's own.
        outcome: How it ended.
    """

    worker: str
    worker_pid: int
    node: str
    begun_s: float
    ended_s: float
    outcome: AttemptOutcome


@dataclass(slots=True, eq=False)
class Timeline:
    """One segment's history; moments in seconds on the monitor's clock.

    Attributes:
        active_s: Its `active` was sent; without a VAD, its last sample was there.
        arrived_s: The audio that ended it arrived.
        inactive_s: Its `inactive` was sent.
        submitted_s: It was submitted to the worker pool.
        early: Whether a worker had begun it before its end was sure.
        interims: When each of its interims was sent.
        interims_shed: Number of interims that were given up.
    """

    active_s: float
    arrived_s: float = 0.0
    inactive_s: float = 0.0
    submitted_s: float = 0.0
    early: bool = False
    interims: list[float] = field(default_factory=list)
    interims_shed: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """A segment whose `segment` event, or the error in its place, has been sent.

    Attributes:
        channel: Number of the channel, from 0.
        start_time: Start of its audio, in seconds from the start of the stream.
        end_time: End of its audio, in the same way.
        flushed: Whether the client ended it.
        timeline: Its history until now.
        settled_s: When the event was sent, on the monitor's clock.
        outcome: What became of it.
        problem: The error's message; empty when the outcome is `ok`.
        attempts: The work that workers did on it.
        output: The model's fields; empty when there is no result.
    """

    channel: int
    start_time: float
    end_time: float
    flushed: bool
    timeline: Timeline
    settled_s: float
    outcome: SegmentOutcome
    problem: str
    attempts: tuple[Attempt, ...]
    output: Mapping[str, Any]

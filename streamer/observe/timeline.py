"""When what happened to a segment: what its latencies and its trace are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from streamer.inference.result import Attempt
from streamer.observe.monitor import Outcome


@dataclass(slots=True, eq=False)
class Timeline:
    """One segment's history; moments in seconds on the monitor's clock.

    Attributes:
        active_s: Its `active` was sent; on `/api/v1/simple`, its last sample was there.
        arrived_s: The audio arrived that ended it.
        inactive_s: Its `inactive` was sent.
        submitted_s: It went to the worker pool.
        early: That was before its end was sure.
        interims: When each of its interims was sent.
        interims_shed: Interims that were given up.
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
    """A segment whose final has been sent, or whose error has.

    Attributes:
        channel: Of the stream, from 0.
        start_time: Of the audio, in seconds from the start of the stream.
        end_time: Likewise.
        flushed: Whether the client ended it.
        timeline: When what happened.
        settled_s: When the event was sent, on the monitor's clock.
        outcome: What became of it.
        problem: In words, unless all is well.
        attempts: Of the workers.
        output: The model's fields, if it gave any.
    """

    channel: int
    start_time: float
    end_time: float
    flushed: bool
    timeline: Timeline
    settled_s: float
    outcome: Outcome
    problem: str
    attempts: tuple[Attempt, ...]
    output: Mapping[str, Any]

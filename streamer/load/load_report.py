"""What the streams of a load received, and how long it took."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class LoadReport:
    """Counts and latencies of all streams. Lists hold milliseconds, one value an event."""

    final_ms: list[float] = field(default_factory=list)
    """From the sending of a segment's last speech to its `segment`, while the stream played; of a
    chunk on `/api/v1/simple`, from the sending of its last audio."""
    shown_ms: list[float] = field(default_factory=list)
    """From the sending of a segment's last speech to the first result that holds all of its speech,
    an interim or the `segment`, of the same."""
    settled_ms: list[float] = field(default_factory=list)
    """From `inactive` to `segment`, of the same."""
    closing_ms: list[float] = field(default_factory=list)
    """From the sending of `stop` to a `segment` that ended with it, not with silence."""
    active_ms: list[float] = field(default_factory=list)
    """From the sending of a segment's first speech to its `active`."""
    late_ms: list[float] = field(default_factory=list)
    """Lateness of each sent message; above 20 ms the generator is the bottleneck."""
    events: Counter[str] = field(default_factory=Counter)
    """Number of events of each type."""
    audio_s: float = 0.0
    """Seconds of audio that were sent."""
    inferred_s: float = 0.0
    """Seconds of audio in the segments, padding included."""
    unfinished: int = 0
    """Number of streams whose `stopped` did not come."""
    cpu_s: float = 0.0
    """Processor seconds of the generator itself."""

    @property
    def lost(self) -> int:
        """Number of segments that began and were neither delivered nor reported as failed.

        On `/api/v1/simple` segments are not announced; there a lost one cannot be counted.
        """
        if not self.events["active"]:
            return 0
        return self.events["active"] - self.events["segment"] - self.events["error"]

    def figures(self) -> dict[str, object]:
        """What is printed: counts, and percentiles in milliseconds."""
        return {
            "audio_seconds": round(self.audio_s, 1),
            "events": dict(self.events),
            "lost": self.lost,
            "unfinished": self.unfinished,
            "final_ms": percentiles(self.final_ms),
            "shown_ms": percentiles(self.shown_ms),
            "after_inactive_ms": percentiles(self.settled_ms),
            "after_stop_ms": percentiles(self.closing_ms),
            "active_ms": percentiles(self.active_ms),
            "sent_late_ms": percentiles(self.late_ms),
        }


def percentiles(values: Sequence[float]) -> dict[str, int]:
    """The 50th, 95th and 99th percentile (nearest rank), rounded; empty without values."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{q}": round(ordered[round(last * q / 100)]) for q in (50, 95, 99)} if ordered else {}

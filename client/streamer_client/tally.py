"""What a run of the command has sent and received, and its closing line."""

from dataclasses import dataclass

from streamer_client.event_text import printable
from streamer_client.events import Event


@dataclass
class Tally:
    """Counts and times of a run so far. Times are seconds on the clock of the event loop."""

    started_s: float = 0.0
    sent_s: float = 0.0
    ended_s: float = 0.0
    first_event_s: float | None = None
    segments: int = 0
    errors: int = 0
    reconnections: int = 0
    lost_s: float = 0.0
    interrupted: bool = False

    def count(self, event: Event, now_s: float) -> None:
        """Count one event."""
        if self.first_event_s is None and event.channel is not None:
            self.first_event_s = now_s
        self.segments += event.type == "segment"
        self.errors += event.type == "error" and not event.fatal  # that one ends the stream

    def summary(self, trace_id: str | None) -> str:
        """Return the closing line."""
        total_s = self.ended_s - self.started_s
        parts = [f"{self.sent_s:.1f} s of audio in {total_s:.2f} s"]
        if self.sent_s:
            parts.append(f"real-time factor {total_s / self.sent_s:.3f}")
        if self.first_event_s is not None:
            parts.append(f"first event after {self.first_event_s - self.started_s:.2f} s")
        parts.append(f"{self.segments} segment{'' if self.segments == 1 else 's'}")
        if self.reconnections:
            times = "once" if self.reconnections == 1 else f"{self.reconnections} times"
            parts.append(f"reconnected {times}, {self.lost_s:.1f} s lost")
        parts.append(f"trace {trace_id or 'unknown'}")
        return printable(", ".join(parts))

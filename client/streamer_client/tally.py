"""What a run of the command has sent and received, and its closing line."""

from dataclasses import dataclass, field

from streamer_client.event_text import printable
from streamer_client.events import Event

MODEL_ERROR = "inference_failed"

NOTABLE_S = 0.5
"""Seconds, of all channels. Less that was dropped, or loud and not taken for speech, is not worth a
line: a click, a breath."""

WHEREABOUTS = {
    "failed": "had speech without a result",
    "dropped": "were dropped: too short for speech, or silence to the model",
    "loud_unheard": "were loud but not taken for speech",
}
"""By field of `stopped.seconds`: what became of that audio."""

ON_SIMPLE = {
    **WHEREABOUTS,
    "failed": "of audio have no result",
    "dropped": "were silence to the model",
}
"""The same where there is no voice detection: nothing is known of speech."""

SEE_LOG = "; the server's log has the file and the line of the model's error"


@dataclass
class Tally:
    """Counts and times of a run so far. Times are seconds on the clock of the event loop."""

    started_s: float = 0.0
    sent_s: float = 0.0
    ended_s: float = 0.0
    first_event_s: float | None = None
    segments: int = 0
    empty_segments: int = 0
    """Those of them in which the model has returned nothing at all."""
    errors: int = 0
    reconnections: int = 0
    lost_s: float = 0.0
    interrupted: bool = False
    simple: bool = False
    """Whether the audio goes to the model in chunks, without voice detection."""
    model_errors: int = 0
    """Exceptions of the model, of all errors."""
    undecodable: bool = False
    """Whether the server could not decode the audio, or not all of it."""
    without_speech: bool = False
    """Whether the server has warned that it found no speech."""
    unheard_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WHEREABOUTS, 0.0))
    """Seconds of all channels, by field of `stopped.seconds`."""

    def count(self, event: Event, now_s: float) -> None:
        """Count one event."""
        if self.first_event_s is None and event.channel is not None:
            self.first_event_s = now_s
        self.segments += event.type == "segment"
        self.empty_segments += event.type == "segment" and not event.output
        self.errors += event.type == "error" and not event.fatal  # that one ends the stream
        self.model_errors += event.code == MODEL_ERROR
        self.undecodable |= event.type == "error" and event.code == "bad_audio"
        if event.type == "warning" and event.code == "no_speech":
            self.without_speech = True
        if event.type == "stopped":
            self.sent_s = max(self.sent_s, event.seconds("audio_seconds") or 0.0)
            self._count_seconds(event.fields.get("seconds"))

    def unheard(self) -> str | None:
        """Return a line about audio without words; None = there is not enough of it."""
        parts = [
            f"{seconds:.1f} s {self._whereabouts(name)}"
            for name, seconds in self.unheard_s.items()
            if seconds >= NOTABLE_S or (name == "failed" and seconds)
            if not (name == "loud_unheard" and self.without_speech)  # the warning says so
        ]
        return "; ".join(parts) or None

    def without_output(self) -> str | None:
        """Return a line about results without a field; None = there are none."""
        if not self.empty_segments:
            return None
        count = f"{self.empty_segments} of {self.segments}"
        what = "result is" if self.segments == 1 else "results are"
        return f"{count} {what} empty: the model returned no fields"

    def _whereabouts(self, name: str) -> str:
        what = (ON_SIMPLE if self.simple else WHEREABOUTS)[name]
        return what + (SEE_LOG if name == "failed" and self.model_errors else "")

    def _count_seconds(self, channels: object) -> None:
        """Count `stopped.seconds`; a server of an older version has none."""
        for channel in channels if isinstance(channels, list) else []:
            for name in self.unheard_s:
                self.unheard_s[name] += float(channel.get(name, 0.0))

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

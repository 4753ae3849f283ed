"""One timeline over several connections: where events belong, and what was never answered.

Pure: no sockets, no clock.
"""

import json
from collections import defaultdict

from streamer_client.events import Event

UNHEARD_S = 10.0
"""Live audio older than this was heard: had there been speech, it would have been announced."""

LEAD_S = 0.5
"""So much before speech belongs to it."""


class Timeline:
    """Where the streams of a run lie in its source. Times are in seconds of the source.

    Args:
        channels: Of the source.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._offset_s = 0.0
        self._delivered_s: defaultdict[int, float] = defaultdict(float)
        """By channel: the end of the last result."""
        self._known_s: dict[int, float] = {}
        """The same when the stream began: results up to there would be told twice."""
        self._owed_s: defaultdict[int, list[float]] = defaultdict(list)
        """By channel: where speech began whose result is still to come."""
        self._heard_s = 0.0
        self._finished_s: float | None = None
        self._segmented = True

    def begin(self, offset_s: float) -> None:
        """A new stream begins, so far into the source."""
        self._offset_s = offset_s
        self._known_s = dict(self._delivered_s)
        self._owed_s.clear()
        self._heard_s = offset_s
        self._finished_s = None

    def place(self, event: Event) -> Event | None:
        """Put an event of the stream where it belongs; None when it was told already."""
        moved = _moved(event, self._offset_s) if self._offset_s else event
        if self._told_already(moved):
            return None
        self._note(moved)
        return moved

    def unanswered_s(self, sent_s: float, *, live: bool) -> float:
        """From where on the audio of the stream has to be sent again.

        Args:
            sent_s: Until where it was sent.
            live: It was sent no faster than it came into being.
        """
        if self._finished_s is not None:
            return min(sent_s, self._finished_s)
        if not self._segmented:
            delivered_s = (self._delivered_s[channel] for channel in range(self._channels))
            return max(self._offset_s, min(delivered_s))
        owed_s = [
            max(self._delivered_s[channel], times[0] - LEAD_S)
            for channel, times in self._owed_s.items()
            if times
        ]
        heard_s = max(self._heard_s, sent_s - UNHEARD_S) if live else self._heard_s
        return max(self._offset_s, min([*owed_s, heard_s, sent_s]))

    def _told_already(self, event: Event) -> bool:
        known_s = self._known_s.get(event.channel if event.channel is not None else -1, 0.0)
        if event.start_time is not None and event.end_time is not None:
            return (event.start_time + event.end_time) / 2 < known_s
        return event.time is not None and event.time < known_s

    def _note(self, event: Event) -> None:
        channel = event.channel or 0
        match event.type:
            case "started":
                self._segmented = event.fields.get("vad") is not None
            case "stopped":
                self._finished_s = self._offset_s + (event.seconds("audio_seconds") or 0.0)
            case "active" if event.time is not None:
                self._owed_s[channel].append(event.time)
            case "segment" | "error" if event.end_time is not None:
                self._delivered_s[channel] = event.end_time
                if self._owed_s[channel]:
                    self._owed_s[channel].pop(0)
        self._heard_s = max(self._heard_s, event.time or 0.0, event.end_time or 0.0)


def lost_event(start_s: float, end_s: float) -> Event:
    """Return what tells programs, among the server's events, that audio was not heard."""
    fields = {"type": "lost", "start_time": round(start_s, 6), "end_time": round(end_s, 6)}
    return Event("lost", fields, json.dumps(fields))


def _moved(event: Event, offset_s: float) -> Event:
    times = {
        name: round(seconds + offset_s, 6)
        for name in ("time", "start_time", "end_time")
        if (seconds := event.seconds(name)) is not None
    }
    if not times:
        return event
    fields = {**event.fields, **times}
    return Event(event.type, fields, json.dumps(fields, ensure_ascii=False))

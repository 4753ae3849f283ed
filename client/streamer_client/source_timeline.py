"""One timeline over several connections: the times of events, and the audio without an answer.

Pure: no sockets, no clock.
"""

import json
from collections import defaultdict
from typing import Any

from streamer_client.events import Event

ANNOUNCED_WITHIN_S = 10.0
"""Seconds; speech in live audio is announced within this time, so older audio held none."""

LEAD_S = 0.5
"""Seconds before the beginning of speech that are sent again with it."""

WORD_TIMES = ("start_time", "end_time")
"""Fields of a word that hold a time."""


class SourceTimeline:
    """Where the streams of a run lie in its source. Times are in seconds of the source.

    Args:
        channels: Of the source.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._offset_s = 0.0
        self._delivered_s: defaultdict[int, float] = defaultdict(float)
        """By channel: the end of the last result."""
        self._earlier_s: dict[int, float] = {}
        """The same at the beginning of the stream: results up to there are duplicates."""
        self._pending_s: defaultdict[int, list[float]] = defaultdict(list)
        """By channel: the beginnings of speech whose results have not come."""
        self._processed_s = 0.0
        self._finished_s: float | None = None
        self._segmented = True

    def begin(self, offset_s: float) -> None:
        """Begin a new stream at `offset_s` seconds of the source."""
        self._offset_s = offset_s
        self._earlier_s = dict(self._delivered_s)
        self._pending_s.clear()
        self._processed_s = offset_s
        self._finished_s = None

    def place(self, event: Event) -> Event | None:
        """Move an event to the time of the source; None = an earlier stream had it already."""
        moved = _moved(event, self._offset_s) if self._offset_s else event
        if self._is_duplicate(moved):
            return None
        self._record(moved)
        return moved

    def unanswered_s(self, sent_s: float, *, live: bool) -> float:
        """The time from which the audio of the stream has to be sent again.

        Args:
            sent_s: The end of what was sent.
            live: It was sent no faster than it was recorded.
        """
        if self._finished_s is not None:
            return min(sent_s, self._finished_s)
        if not self._segmented:
            delivered_s = (self._delivered_s[channel] for channel in range(self._channels))
            return max(self._offset_s, min(delivered_s))
        pending_s = [
            max(self._delivered_s[channel], times[0] - LEAD_S)
            for channel, times in self._pending_s.items()
            if times
        ]
        processed_s = (
            max(self._processed_s, sent_s - ANNOUNCED_WITHIN_S) if live else self._processed_s
        )
        return max(self._offset_s, min([*pending_s, processed_s, sent_s]))

    def _is_duplicate(self, event: Event) -> bool:
        earlier_s = self._earlier_s.get(event.channel if event.channel is not None else -1, 0.0)
        if event.start_time is not None and event.end_time is not None:
            return (event.start_time + event.end_time) / 2 < earlier_s
        return event.time is not None and event.time < earlier_s

    def _record(self, event: Event) -> None:
        channel = event.channel or 0
        match event.type:
            case "started":
                self._segmented = event.fields.get("vad") is not None
            case "stopped":
                self._finished_s = self._offset_s + (event.seconds("audio_seconds") or 0.0)
            case "active" if event.time is not None:
                self._pending_s[channel].append(event.time)
            case "segment" | "error" if event.end_time is not None:
                self._delivered_s[channel] = event.end_time
                if self._pending_s[channel]:
                    self._pending_s[channel].pop(0)
        self._processed_s = max(self._processed_s, event.time or 0.0, event.end_time or 0.0)


def lost_event(start_s: float, end_s: float) -> Event:
    """Return the event that reports lost audio to programs, among the events of the server."""
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
    if event.words:
        fields["words"] = [_moved_word(word, offset_s) for word in event.fields["words"]]
    return Event(event.type, fields, json.dumps(fields, ensure_ascii=False))


def _moved_word(word: Any, offset_s: float) -> Any:  # noqa: ANN401 – of a model of one's own
    if not isinstance(word, dict):
        return word
    times = {
        name: round(word[name] + offset_s, 6)
        for name in WORD_TIMES
        if isinstance(word.get(name), int | float)
    }
    return {**word, **times}

"""Segments as subtitle cues in order of time, though the channels' segments come in any order."""

from bisect import insort
from collections import Counter

from streamer.subtitles.cues import Cue, CueMaker, TimedText
from streamer.subtitles.times import WordSpan
from streamer_client.event_text import describe_output
from streamer_client.events import Event
from streamer_client.source_timeline import ANNOUNCED_WITHIN_S


class CueOrder:
    """Makes the cues of a transcript, and keeps each until none can come before it.

    With one channel that is at once. With several, a cue waits while a segment of another channel
    is open, or while speech there may not have been announced yet.

    Args:
        channels: Of the audio.
    """

    def __init__(self, channels: int) -> None:
        self._maker = CueMaker(channels)
        self._channels = channels
        self._waiting: list[Cue] = []
        self._answered_s = dict.fromkeys(range(channels), 0.0)
        """By channel: the end of the last segment, before which no other one begins."""
        self._open: Counter[int] = Counter()
        """By channel: segments that have begun and are not answered."""
        self._newest_s = 0.0
        self._segmented = True

    def place(self, event: Event) -> list[Cue]:
        """Take the next event; returns the cues whose turn has come."""
        if event.type == "started":
            self._segmented = event.fields.get("vad") is not None
            self._open.clear()
            self._newest_s = 0.0
        channel = event.channel or 0
        self._newest_s = max(self._newest_s, event.time or 0.0, event.end_time or 0.0)
        if event.type == "active":
            self._open[channel] += 1
        elif event.type in ("segment", "error") and event.end_time is not None:
            self._open[channel] = max(0, self._open[channel] - 1)
            self._answered_s[channel] = max(self._answered_s.get(channel, 0.0), event.end_time)
            if event.type == "segment":
                self._add(event, channel, event.end_time)
        return self._due()

    def rest(self) -> list[Cue]:
        """Return what still waits, when no other event will come."""
        rest, self._waiting = self._waiting, []
        return rest

    def _add(self, event: Event, channel: int, end_s: float) -> None:
        words = tuple(WordSpan(word.start_time, word.end_time) for word in event.words)
        said = TimedText(event.start_time or 0.0, end_s, describe_output(event), channel, words)
        for cue in self._maker.cues(said):
            insort(self._waiting, cue)

    def _due(self) -> list[Cue]:
        if self._channels == 1:
            return self.rest()
        next_ms, next_channel = min(
            (round(self._next_s(channel) * 1000), channel) for channel in self._answered_s
        )
        due = 0
        while due < len(self._waiting) and self._waiting[due][:2] < (next_ms, next_channel):
            due += 1
        taken, self._waiting = self._waiting[:due], self._waiting[due:]
        return taken

    def _next_s(self, channel: int) -> float:
        """The earliest time at which the next segment of a channel can begin."""
        answered_s = self._answered_s[channel]
        if self._open[channel] or not self._segmented:
            return answered_s
        return max(answered_s, self._newest_s - ANNOUNCED_WITHIN_S)

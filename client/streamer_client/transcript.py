"""The transcript in the format that was asked for."""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from streamer.subtitles.cues import Cue
from streamer.subtitles.formats import VTT_HEADER, srt_cue, vtt_cue
from streamer_client.cue_order import CueOrder
from streamer_client.event_text import format_jsonl, format_text
from streamer_client.events import Event

OutputFormat = Literal["text", "json", "jsonl", "srt", "vtt"]


TIMED_OUTPUTS: tuple[OutputFormat, ...] = ("srt", "vtt")
"""Formats that are better with the times of words, although they do not show them."""


class Formatter(Protocol):
    """Turns events into text."""

    header: str
    """What the transcript begins with."""

    def event(self, event: Event) -> str:
        """Return what is written because of an event; empty = nothing."""

    def end(self) -> str:
        """Return what is still to be written after the last event."""


class _Lines:
    """Each event by itself."""

    header = ""

    def __init__(self, line: Callable[[Event], str]) -> None:
        self._line = line

    def event(self, event: Event) -> str:
        return self._line(event)

    def end(self) -> str:
        return ""


class _Document:
    """All events as one JSON document: a list."""

    header = "[\n"

    def __init__(self) -> None:
        self._separator = ""

    def event(self, event: Event) -> str:
        text = self._separator + format_jsonl(event).rstrip("\n")
        self._separator = ",\n"
        return text

    def end(self) -> str:
        return "\n]\n"


class _Subtitles:
    """Cues in order of time."""

    def __init__(self, header: str, write: Callable[[Cue, int], str], channels: int) -> None:
        self.header = header
        self._write = write
        self._order = CueOrder(channels)
        self._written = 0

    def event(self, event: Event) -> str:
        return self._text(self._order.place(event))

    def end(self) -> str:
        return self._text(self._order.rest())

    def _text(self, cues: Iterable[Cue]) -> str:
        text = ""
        for cue in cues:
            self._written += 1
            text += self._write(cue, self._written)
        return text


def make_formatter(output: OutputFormat, channels: int) -> Formatter:
    """Return the formatter for an output."""
    match output:
        case "json":
            return _Document()
        case "jsonl":
            return _Lines(format_jsonl)
        case "srt":
            return _Subtitles("", srt_cue, channels)
        case "vtt":
            return _Subtitles(VTT_HEADER, lambda cue, _: vtt_cue(cue), channels)
        case "text":
            return _Lines(lambda event: format_text(event, channels))

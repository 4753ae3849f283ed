"""Segments as files for people: plain text, SubRip (.srt) and WebVTT (.vtt)."""

import json
from collections.abc import Iterable
from unicodedata import category

from streamer.protocol.messages import Segment

RENDERED_MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}


def as_text(segments: Iterable[Segment], channels: int) -> str:
    """A line for each segment with any output."""
    labelled = ((_label(segment, channels), output_text(segment)) for segment in segments)
    return "".join(f"{label}{': ' if label else ''}{text}\n" for label, text in labelled if text)


def as_srt(segments: Iterable[Segment], channels: int) -> str:
    """SubRip: cues counted from 1, the channel in brackets when there are several."""
    cues: list[str] = []
    for segment in segments:
        # SubRip has no escapes; what would read as times is broken up.
        if text := output_text(segment).replace("-->", "→"):
            label = _label(segment, channels)
            body = f"[{label}] {text}" if label else text
            cues.append(f"{len(cues) + 1}\n{_times(segment, ',')}\n{body}\n\n")
    return "".join(cues)


def as_vtt(segments: Iterable[Segment], channels: int) -> str:
    """WebVTT: the channel as the cue's voice when there are several."""
    cues = ["WEBVTT\n\n"]
    for segment in segments:
        if text := output_text(segment):
            label = _label(segment, channels)
            voice = f"<v {label}>" if label else ""
            cues.append(f"{_times(segment, '.')}\n{voice}{_escape(text)}\n\n")
    return "".join(cues)


RENDERERS = {"text": as_text, "srt": as_srt, "vtt": as_vtt}


def output_text(segment: Segment) -> str:
    """The model's output in one line: its `text`, or else its values as `key=value`."""
    text = segment.output.get("text")
    if not isinstance(text, str):
        text = " ".join(f"{key}={_value(value)}" for key, value in segment.output.items())
    # An empty line would end a cue, and control characters could drive a terminal.
    return " ".join("".join(" " if category(c) == "Cc" else c for c in text).split())


def _label(segment: Segment, channels: int) -> str:
    return f"channel {segment.channel}" if channels > 1 else ""


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(segment: Segment, decimal_mark: str) -> str:
    start, end = (_stamp(s, decimal_mark) for s in (segment.start_time, segment.end_time))
    return f"{start} --> {end}"


def _stamp(seconds: float, decimal_mark: str) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_mark}{milliseconds:03}"

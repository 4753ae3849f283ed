"""Segments as files for people: plain text, SubRip (.srt) and WebVTT (.vtt)."""

import json
from collections.abc import Iterable, Mapping

from streamer.inference.timed_words import read_words
from streamer.models.timed_word import TimedWord
from streamer.protocol.events import Segment
from streamer.subtitles.cues import Cue, TimedText, cues_of
from streamer.subtitles.formats import VTT_HEADER, srt_cue, vtt_cue
from streamer.subtitles.times import WordSpan
from streamer.subtitles.words import one_line

RENDERED_MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}


def as_text(segments: Iterable[Segment], channels: int) -> str:
    """A line for each segment with any output."""
    labelled = ((_label(segment, channels), output_text(segment)) for segment in segments)
    return "".join(f"{label}{': ' if label else ''}{text}\n" for label, text in labelled if text)


def as_srt(segments: Iterable[Segment], channels: int) -> str:
    """SubRip, the channel in brackets when there are several."""
    cues = enumerate(_cues(segments, channels), start=1)
    return "".join(srt_cue(cue, number) for number, cue in cues)


def as_vtt(segments: Iterable[Segment], channels: int) -> str:
    """WebVTT: the channel as the cue's voice when there are several."""
    return VTT_HEADER + "".join(map(vtt_cue, _cues(segments, channels)))


TIMED_FORMATS = frozenset({"srt", "vtt"})
"""Formats that are better with the times of words, although they do not show them."""

RENDERERS = {"text": as_text, "srt": as_srt, "vtt": as_vtt}


def output_text(segment: Segment) -> str:
    """The model's output in one line: its `text`, or else its values as `key=value`."""
    return text_of(segment.output)


def text_of(output: Mapping[str, object]) -> str:
    """A model's output in one line: its `text`, or else its values as `key=value`."""
    text = output.get("text")
    if not isinstance(text, str):
        text = " ".join(f"{key}={_value(value)}" for key, value in output.items())
    return one_line(text)


def timed_words(segment: Segment) -> list[TimedWord]:
    """The words of a segment; none if they were not requested, or are something else."""
    try:
        return read_words(segment.output)
    except ValueError:  # a model of one's own has another kind of words
        return []


def _cues(segments: Iterable[Segment], channels: int) -> list[Cue]:
    texts = (
        TimedText(
            segment.start_time,
            segment.end_time,
            output_text(segment),
            segment.channel,
            tuple(WordSpan(word.start_time, word.end_time) for word in timed_words(segment)),
        )
        for segment in segments
    )
    return cues_of(texts, channels)


def _label(segment: Segment, channels: int) -> str:
    return f"channel {segment.channel + 1}" if channels > 1 else ""


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

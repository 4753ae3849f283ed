"""The answers of OpenAI's audio endpoints.

https://platform.openai.com/docs/api-reference/audio. OpenAI's clients ignore what they do not know,
so `warnings` may be added.
"""

from typing import Literal

import msgspec

from streamer.http.recordings import RecordingWarning
from streamer.http.render import output_text
from streamer.protocol.messages import ChannelSeconds, Segment


class Usage(msgspec.Struct, frozen=True):
    """What a request is measured by: the seconds of its audio."""

    seconds: float
    type: Literal["duration"] = "duration"


class Transcription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`response_format=json`."""

    text: str
    usage: Usage
    warnings: list[RecordingWarning] = []


class TimedSegment(msgspec.Struct, frozen=True):
    """A segment of `verbose_json`. Times in seconds; what only Whisper knows is neutral."""

    id: int
    start: float
    end: float
    text: str
    seek: int = 0
    tokens: list[int] = []
    temperature: float = 0.0
    avg_logprob: float = 0.0
    compression_ratio: float = 1.0
    no_speech_prob: float = 0.0


class VerboseTranscription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`response_format=verbose_json`. The language has its English name, as `english`."""

    task: Literal["transcribe", "translate"]
    language: str
    duration: float
    text: str
    segments: list[TimedSegment]
    usage: Usage
    seconds: list[ChannelSeconds]
    warnings: list[RecordingWarning] = []


class TextDelta(msgspec.Struct, frozen=True, tag="transcript.text.delta"):
    """With `stream`: what one segment adds."""

    delta: str


class TextDone(msgspec.Struct, frozen=True, tag="transcript.text.done", omit_defaults=True):
    """With `stream`: all of it, as the last event."""

    text: str
    usage: Usage
    warnings: list[RecordingWarning] = []


def timed(index: int, segment: Segment) -> TimedSegment:
    """A segment as `verbose_json` has it."""
    start, end = segment.start_time, segment.end_time
    return TimedSegment(index, start, end, output_text(segment), seek=round(start * 100))

"""The answers of OpenAI's audio endpoints.

https://platform.openai.com/docs/api-reference/audio. OpenAI's clients ignore what they do not know,
so `warnings` may be added.
"""

from math import log
from typing import Literal

import msgspec

from streamer.http.recordings import RecordingWarning
from streamer.http.render import output_text, timed_words
from streamer.protocol.events import ChannelSeconds, Segment

LEAST_CONFIDENCE = 1e-4
"""Of which a logarithm is computed: confidences are rounded to that."""


class Usage(msgspec.Struct, frozen=True):
    """What a request is measured by: the seconds of its audio."""

    seconds: float
    type: Literal["duration"] = "duration"


class Logprob(msgspec.Struct, frozen=True):
    """A word in the place of OpenAI's token; with the space before it, but for the first.

    The logarithm is that of the word's confidence.
    """

    token: str
    bytes: list[int]
    logprob: float


class Transcription(msgspec.Struct, frozen=True, omit_defaults=True):
    """`response_format=json`."""

    text: str
    usage: Usage
    warnings: list[RecordingWarning] = []
    logprobs: list[Logprob] | None = None


class SpokenWord(msgspec.Struct, frozen=True):
    """A word of `verbose_json`. Times in seconds; the probability is Whisper's name for it."""

    word: str
    start: float
    end: float
    probability: float


class TimedSegment(msgspec.Struct, frozen=True):
    """A segment of `verbose_json`. Times in seconds; what only Whisper knows is neutral.

    `avg_logprob` is the logarithm of the segment's confidence; 0 when the model has none.
    """

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
    words: list[SpokenWord] | None = None


class TextDelta(msgspec.Struct, frozen=True, tag="transcript.text.delta", omit_defaults=True):
    """With `stream`: what one segment adds."""

    delta: str
    logprobs: list[Logprob] | None = None


class TextDone(msgspec.Struct, frozen=True, tag="transcript.text.done", omit_defaults=True):
    """With `stream`: all of it, as the last event."""

    text: str
    usage: Usage
    warnings: list[RecordingWarning] = []
    logprobs: list[Logprob] | None = None


def timed(index: int, segment: Segment) -> TimedSegment:
    """A segment as `verbose_json` has it."""
    start, end = segment.start_time, segment.end_time
    text = output_text(segment)
    average = logarithm(segment.output.get("confidence"))
    return TimedSegment(index, start, end, text, seek=round(start * 100), avg_logprob=average)


def words_of(segment: Segment) -> list[SpokenWord]:
    """The words of a segment as `verbose_json` has them."""
    return [
        SpokenWord(word.text, word.start_time, word.end_time, word.confidence)
        for word in timed_words(segment)
    ]


class LogprobsOfText:
    """The log probabilities of a text, a segment at a time.

    Args:
        requested: Whether the answer has any.
    """

    def __init__(self, *, requested: bool) -> None:
        self.all: list[Logprob] | None = [] if requested else None
        """Those so far; joined, their tokens are the text. None = the answer has none."""

    def add(self, segment: Segment) -> list[Logprob] | None:
        """Those of the next segment, which begin with a space if it is not the first with words."""
        if self.all is None:
            return None
        words = timed_words(segment)
        before = bool(self.all)
        spaced = [f" {word.text}" if before or at else word.text for at, word in enumerate(words)]
        added = [
            Logprob(token, [*token.encode()], logarithm(word.confidence))
            for token, word in zip(spaced, words, strict=True)
        ]
        self.all += added
        return added


def logarithm(confidence: object) -> float:
    """The natural logarithm of a confidence, rounded; 0 for what is none."""
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        return 0.0
    return round(log(min(max(confidence, LEAST_CONFIDENCE), 1.0)), 4)

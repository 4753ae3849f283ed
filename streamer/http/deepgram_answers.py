"""What Deepgram's clients get, on sockets and in HTTP answers: transcripts, words, models. Pure.

https://developers.deepgram.com/reference. Every field is there, because the parsers of programs
demand some that the description calls optional.
"""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from streamer.http.deepgram_query import ServedModel
from streamer.http.spoken_words import UNMEASURED_CONFIDENCE, GivenWord, bare, plain

MODEL_VERSION = "1"
MODEL_UUID = "00000000-0000-0000-0000-000000000000"
"""Of every model; Deepgram's clients need one, and look nothing up by it."""

NO_SHA256 = "0" * 64
"""In the place of the checksum of the audio, which is not computed."""


class Word(msgspec.Struct, frozen=True):
    """A word; times in seconds from the start of the stream."""

    word: str
    start: float
    end: float
    confidence: float
    punctuated_word: str | UnsetType = UNSET


class Alternative(msgspec.Struct, frozen=True):
    """A transcript. There is one of each segment."""

    transcript: str
    confidence: float
    words: list[Word]


class Transcribed(msgspec.Struct, frozen=True):
    """The transcripts of one channel; there is one."""

    alternatives: list[Alternative]


class ModelInfo(msgspec.Struct, frozen=True):
    """Which model has made a transcript."""

    name: str
    version: str
    arch: str


def model_info(model: ServedModel) -> ModelInfo:
    """What clients are told of a model."""
    return ModelInfo(model.name, MODEL_VERSION, model.kind)


def alternative(
    text: str,
    confidence: float | None,
    words: Sequence[GivenWord],
    *,
    punctuated: bool,
) -> Alternative:
    """A transcript with its words.

    Args:
        text: With punctuation and capitals.
        confidence: From 0 to 1; None = it was not measured.
        words: Of the text, in order.
        punctuated: Whether the client wants punctuation and capitals.
    """
    known = UNMEASURED_CONFIDENCE if confidence is None else confidence
    return Alternative(
        text if punctuated else plain(text),
        known if text else 0.0,
        [_word(given, punctuated=punctuated) for given in words if bare(given.text)],
    )


def _word(given: GivenWord, *, punctuated: bool) -> Word:
    return Word(
        bare(given.text),
        round(given.start, 3),
        round(given.end, 3),
        given.confidence,
        given.text if punctuated else UNSET,
    )

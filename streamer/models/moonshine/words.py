"""The words of a transcript, each with its time and its certainty.

Punctuation is written in the pause that it stands for, so the times of a word are those of its
letters, and a pause after it is in no word. The same holds for certainty: a comma that could as
well be a full stop makes no word doubtful.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.models.moonshine.alignment import Frames
from streamer.models.moonshine.tokenizer import Tokenizer

FRAME_S = 384 / 16_000
"""Seconds that the encoder's convolutions move on for each of its states."""


class Word(NamedTuple):
    """A word, as a model's output has it.

    Attributes:
        text: With the punctuation that follows it, as in the text.
        start_time: In seconds from the first sample that the model was given.
        end_time: In the same way; at least `start_time`.
        confidence: The probability of its least probable token, 0 to 1.
    """

    text: str
    start_time: float
    end_time: float
    confidence: float


def timed_words(
    tokenizer: Tokenizer,
    tokens: Sequence[int],
    log_probabilities: Sequence[float],
    frames: Sequence[Frames],
    *,
    offsets_s: tuple[float, float],
    speech_s: tuple[float, float],
) -> list[Word]:
    """The words of some tokens; joined by spaces, they are the text of the tokens.

    Args:
        tokenizer: Of the model.
        tokens: Without the one that ends a text.
        log_probabilities: Of each token; there may be more.
        frames: Of each token; there may be more.
        offsets_s: Seconds to add to the starts of words, and to their ends.
        speech_s: Seconds from the first sample: no word is outside of these two.

    Returns:
        In order; none begins before the one before has ended.
    """
    earliest, latest = speech_s
    words: list[Word] = []
    for text, owners in tokenizer.words(tokens):
        first, last = frames[owners[0]].first, frames[owners[-1]].last
        start = min(max(first * FRAME_S + offsets_s[0], earliest), latest)
        end = min(max((last + 1) * FRAME_S + offsets_s[1], start), latest)
        words.append(Word(text, start, end, confidence(log_probabilities, owners)))
        earliest = end
    return words


def confidence(log_probabilities: Sequence[float], tokens: Sequence[int]) -> float:
    """The probability of the least probable of some tokens, 0 to 1."""
    return float(np.exp(min(min(log_probabilities[token] for token in tokens), 0.0)))

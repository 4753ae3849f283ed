"""The words of a transcript, each with its times and its confidence.

Punctuation is written in the pause that it stands for, so the times of a word are those of its
letters, and a pause after it is in no word. The same holds for confidence: a comma that could as
well be a full stop does not lower that of a word.
"""

from collections.abc import Sequence
from math import exp
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from msgspec import structs

from streamer.models.moonshine.alignment import Frames, align
from streamer.models.moonshine.decoding import CrossAttention, Decoded
from streamer.models.moonshine.published_weights import Sizes
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.models.timed_word import TimedWord
from streamer.weights.manifest import MANIFEST, BadManifest, manifest_if_any
from streamer.weights.manifest_schema import WordTimes

FRAME_S = 384 / 16_000
"""Seconds that the encoder's convolutions move on for each of its states."""

DECIMALS = 4
"""Of a confidence. More would be digits of rounding in the quantized network."""


class Piece(NamedTuple):
    """What the decoder has found in a piece of a segment, mostly in the whole.

    Attributes:
        tokens: Those that count, from the first on.
        decoded: What the search has found; it may have more tokens.
        start_s: Start of the piece, in seconds from the first sample of the segment.
        length_s: Its length, without the silence that the encoder needs.
    """

    tokens: list[int]
    decoded: Decoded
    start_s: float
    length_s: float


def read_word_times(folder: Path, sizes: Sizes) -> WordTimes | None:
    """How to find the times of words; None if its manifest has no `words`.

    Args:
        folder: Of the model.
        sizes: Of its decoder.

    Raises:
        BadManifest: The decoder has not these heads.
    """
    manifest = manifest_if_any(folder)
    times = manifest.words if manifest else None
    for number, (layer, head) in enumerate(times.heads if times else ()):
        if layer >= sizes.layers or head >= sizes.heads:
            raise BadManifest(
                f"{folder / MANIFEST}: 'words.heads[{number}]' is [{layer}, {head}]; allowed: "
                f"[layer, head], a layer from 0 to {sizes.layers - 1} and a head from 0 to "
                f"{sizes.heads - 1}"
            )
    return times


def query_layers(times: WordTimes) -> list[int]:
    """The layers whose queries are needed."""
    return sorted({layer for layer, _ in times.heads})


def timed_words(
    tokenizer: Tokenizer, piece: Piece, times: WordTimes, speech_start_s: float
) -> list[TimedWord]:
    """The words of a piece; joined by spaces, they are its text.

    Args:
        tokenizer: Of the model.
        piece: With attention and log probabilities.
        times: Of the model.
        speech_start_s: Where speech was found, in seconds from the first sample of the segment. No
            word begins before that; if it lies behind the piece, anywhere in the piece.

    Returns:
        In order; none begins before the one before has ended.
    """
    attention = piece.decoded.attention
    if attention is None or not piece.tokens:
        return []
    earliest_s = speech_start_s - piece.start_s
    if not 0 < earliest_s < piece.length_s:
        earliest_s = 0.0
    frames = _frames(attention, times, int(earliest_s / FRAME_S))
    words = place(
        tokenizer,
        piece.tokens,
        piece.decoded.log_probabilities,
        frames,
        offsets_s=(times.start_offset_ms / 1000, times.end_offset_ms / 1000),
        speech_s=(earliest_s, piece.length_s),
    )
    return [
        structs.replace(
            word,
            start_time=piece.start_s + word.start_time,
            end_time=piece.start_s + word.end_time,
        )
        for word in words
    ]


def _frames(attention: CrossAttention, times: WordTimes, first_frame: int) -> list[Frames]:
    queries = np.stack([attention.queries[layer][:, head] for layer, head in times.heads])
    keys = np.stack([attention.keys[layer][head] for layer, head in times.heads])
    return align(queries, keys, first_frame=first_frame)


def place(
    tokenizer: Tokenizer,
    tokens: Sequence[int],
    log_probabilities: Sequence[float],
    frames: Sequence[Frames],
    *,
    offsets_s: tuple[float, float],
    speech_s: tuple[float, float],
) -> list[TimedWord]:
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
    words: list[TimedWord] = []
    for text, owners in tokenizer.words(tokens):
        first, last = frames[owners[0]].first, frames[owners[-1]].last
        start = min(max(first * FRAME_S + offsets_s[0], earliest), latest)
        end = min(max((last + 1) * FRAME_S + offsets_s[1], start), latest)
        words.append(TimedWord(text, start, end, _least(log_probabilities, owners)))
        earliest = end
    return words


def word_confidences(tokenizer: Tokenizer, piece: Piece) -> list[float]:
    """The confidence of each word of a piece: the probability of its least probable token."""
    found = piece.decoded.log_probabilities
    return [_least(found, word.tokens) for word in tokenizer.words(piece.tokens)]


def confidence_of_segment(words: Sequence[float]) -> float:
    """The mean of its words' confidences; there is one at least."""
    return round(fmean(words), DECIMALS)


def _least(log_probabilities: Sequence[float], tokens: Sequence[int]) -> float:
    """The probability of the least probable of some tokens, 0 to 1."""
    return round(exp(min(0.0, *(log_probabilities[token] for token in tokens))), DECIMALS)

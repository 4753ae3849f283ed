"""The words in a model's output: whether they have the right shape, and where they are in a stream.

The shape is that of `Model.infer_request`. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from streamer.config.explain import explain
from streamer.models.timed_word import TimedWord

FIELD = "words"
"""Of a model's output."""

DECIMALS = 3
"""Of times in seconds. The best aligners are accurate to twenty times as much."""

ROUNDING_S = 1e-6
"""Seconds by which times may be off in a check, because they were computed in float32."""


class _Output(msgspec.Struct, frozen=True):
    words: list[TimedWord] = []


def read_words(output: Mapping[str, Any]) -> list[TimedWord]:
    """The words of a model's output; none if it has none.

    Raises:
        ValueError: They are not of the right shape; the message names the field.
    """
    if FIELD not in output:
        return []
    tree = {FIELD: output[FIELD]}
    try:
        return msgspec.convert(tree, _Output).words
    except msgspec.ValidationError as error:
        raise ValueError(explain(error, tree, _Output).message) from None


def disorder(words: Sequence[TimedWord], audio_s: float) -> Iterator[str]:
    """What `placed` would have to put in order; one sentence each.

    Args:
        words: Of a segment.
        audio_s: Length of the segment in seconds.
    """
    for number, word in enumerate(words):
        if word.start_time > word.end_time:
            yield (
                f"'{FIELD}[{number}]' starts at {word.start_time:g} s and ends before that, at "
                f"{word.end_time:g} s"
            )
        if word.start_time < 0 or word.end_time > audio_s + ROUNDING_S:
            yield (
                f"'{FIELD}[{number}]' is from {word.start_time:g} s to {word.end_time:g} s; "
                f"allowed: within the audio, 0 to {audio_s:g} s"
            )
    for number, (word, following) in enumerate(pairwise(words)):
        if following.start_time < word.end_time - ROUNDING_S:
            yield (
                f"'{FIELD}[{number + 1}]' starts at {following.start_time:g} s, before the word "
                f"before it ends, at {word.end_time:g} s"
            )


def placed(
    words: Sequence[Mapping[str, Any]], start_time: float, end_time: float
) -> list[dict[str, Any]]:
    """Words with the times of their stream: in order, within their segment, never overlapping.

    Args:
        words: Of the right shape, with times in seconds from the start of the segment.
        start_time: Of the segment, in seconds from the start of the stream.
        end_time: In the same way.
    """
    result: list[dict[str, Any]] = []
    earliest = start_time
    for word in words:
        start, end = (
            round(start_time + word[name], DECIMALS) for name in ("start_time", "end_time")
        )
        start = min(max(start, earliest), end_time)
        end = min(max(end, start), end_time)
        result.append({**word, "start_time": start, "end_time": end})
        earliest = end
    return result

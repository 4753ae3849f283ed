"""From windows of speech and silence to segments."""

from collections.abc import Sequence
from typing import NamedTuple


class Settings(NamedTuple):
    """Durations in windows."""

    min_speech: int
    """Windows of speech that confirm a segment; at least 1."""
    min_silence: int
    """Windows of silence that end a segment; at least `min_speech`."""
    prefix: int
    """Windows before the speech that belong to the segment."""
    suffix: int
    """Windows after the speech that belong to the segment; at most `min_silence`."""


def segments(speech: Sequence[bool], settings: Settings) -> list[tuple[int, int]]:
    """Return the segments as [first window, one past the last window), in order.

    - Speech begins as a candidate. It is confirmed when `min_speech` of its windows are speech,
      whether they follow each other or not. `min_speech` windows of silence in a row drop it.
    - A confirmed segment ends after `min_silence` windows of silence in a row.
    - It reaches from `prefix` windows before its first window of speech to `suffix` windows after
      its last one, but never into the segment before, before the first window, or beyond the end of
      what has been received.
    - The end of the stream ends a confirmed segment, and drops a candidate.
    """
    raise NotImplementedError

"""The settings of a segmenter, and what follows from them."""

from dataclasses import dataclass

from streamer.vad.forced_cut import SEARCH_FRACTION

HYSTERESIS = 0.15
MIN_EXIT_THRESHOLD = 0.01


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Thresholds as probabilities; durations in samples."""

    threshold: float
    min_silence: int
    min_speech: int
    prefix_padding: int
    suffix_padding: int
    max_segment: int
    sample_rate: int
    interim_interval: int | None = None
    """The least distance between interims. None = no interims."""
    interim_growth: float = 0.0
    """The least distance as a fraction of the segment's length; the larger one counts."""

    @property
    def exit_threshold(self) -> float:
        """The least probability with which speech continues."""
        return max(self.threshold - HYSTERESIS, MIN_EXIT_THRESHOLD)

    @property
    def earliest_cut(self) -> int:
        """How far into a segment the earliest forced cut is, in samples."""
        return self.max_segment - int(self.max_segment * SEARCH_FRACTION)

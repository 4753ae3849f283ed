"""Two sums, which are reset before the code of others runs."""

from collections.abc import Callable
from contextlib import suppress


class StageMeter:
    """An observer that cannot stop what it observes."""

    def __init__(self, report: Callable[[float, float], None]) -> None:
        self._report = report
        self._processing_s = 0.0
        self._audio_s = 0.0

    def add(self, processing_s: float, audio_s: float) -> None:
        """Add, and report once a second."""
        self._processing_s += processing_s
        self._audio_s += audio_s
        if self._audio_s >= 1:
            self.finish()

    def finish(self) -> None:
        """Reset first."""
        processing_s, audio_s = self._processing_s, self._audio_s
        if audio_s:
            self._processing_s = self._audio_s = 0.0
            with suppress(Exception):
                self._report(processing_s, audio_s)

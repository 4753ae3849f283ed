"""Measure a stage without measuring too often."""

from collections.abc import Callable


class StageMeter:
    """Sums up what a stage spends.

    Args:
        report: Called with seconds of processing and seconds of audio, once at least one second of
            audio has been added since the last report.
    """

    def __init__(self, report: Callable[[float, float], None]) -> None:
        raise NotImplementedError

    def add(self, processing_s: float, audio_s: float) -> None:
        """The stage has spent some seconds on some seconds of audio."""
        raise NotImplementedError

    def finish(self) -> None:
        """The stream ends: report what is left, if there is audio. May be called more than once.

        `report` may raise: it is code of others. Whatever it raises, here or in `add`, is not
        passed on, and what was reported is not reported again.
        """
        raise NotImplementedError

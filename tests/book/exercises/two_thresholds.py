"""Hysteresis: speech begins at one threshold, and continues down to another."""

from collections.abc import Sequence


def is_speech(probabilities: Sequence[float], start: float, stay: float) -> list[bool]:
    """Return for each window whether it is speech.

    A window begins speech if its probability is at least `start`. Speech goes on as long as the
    probability is at least `stay`, which is at most `start`. Before the first window there is none.
    """
    raise NotImplementedError

"""One truth value to remember."""

from collections.abc import Sequence


def is_speech(probabilities: Sequence[float], start: float, stay: float) -> list[bool]:
    """Compare with the threshold of the state."""
    found = []
    speech = False
    for probability in probabilities:
        speech = probability >= (stay if speech else start)
        found.append(speech)
    return found

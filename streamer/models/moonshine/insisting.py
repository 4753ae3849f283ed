"""A second search in audio with speech for which the decoder has ended at once.

Base says nothing to noise by ending with its first token. Sometimes it does so in clear speech,
too: the published graphs end at once, with a probability of 0.9, for the first 11 s of a reading, and
find every word of its first 20 s. How certain it is of the end does not tell the two apart, but
what it writes if it may not end does: of words that were said it is as certain as ever.
"""

from collections.abc import Sequence

from streamer.models.moonshine.decoding import END_TOKEN, Decoded, TokenBias
from streamer.onnx.graph import Floats

MIN_MEAN = -0.5
"""Mean log probability from which on the second search counts, the first token's included."""


class NotAtOnce:
    """A bias by which the decoder cannot end with its first token.

    Args:
        other: A bias that changes the scores, too.
    """

    def __init__(self, other: TokenBias | None) -> None:
        self._other = other
        self._begun = False

    def adjust(self, logits: Floats) -> None:
        """Take the end token away from the first choice."""
        if self._other is not None:
            self._other.adjust(logits)
        if not self._begun:
            logits[END_TOKEN] = float("-inf")

    def chosen(self, token: int) -> None:
        """Take note of the token that was chosen."""
        self._begun = True
        if self._other is not None:
            self._other.chosen(token)


def ended_at_once(decoded: Decoded) -> bool:
    """Whether a search has found nothing."""
    return decoded.ended and not decoded.tokens


def is_certain(decoded: Decoded) -> bool:
    """Whether a second search has found words that were said."""
    found: Sequence[float] = decoded.log_probabilities[: len(decoded.tokens)]
    return decoded.ended and len(found) > 0 and sum(found) / len(found) >= MIN_MEAN

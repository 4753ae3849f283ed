"""Lists of key terms, kept for the next segments of their clients."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

from streamer.models.moonshine.encoding import Encoder
from streamer.models.moonshine.key_terms import KeyTerms

MAX_BYTES = 2_000_000
"""Bytes, as `KeyTerms.bytes` counts them. A usual list of 100 names has 70 000, and 5 ms are needed
to read it; 100 phrases of 100 characters have up to 200 000."""


class KeptKeyTerms:
    """Reads lists of phrases, and keeps those that were used last.

    Args:
        pieces: The bytes of each token of the network.
        max_bytes: That the lists may take together.

    Attributes:
        bytes: That they take.
    """

    def __init__(self, pieces: Sequence[bytes], max_bytes: int = MAX_BYTES) -> None:
        self._pieces = pieces
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, ...], KeyTerms] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        """How many lists are kept."""
        return len(self._kept)

    def read(self, phrases: tuple[str, ...]) -> KeyTerms:
        """The terms of a list."""
        terms = self._kept.get(phrases)
        if terms is None:
            terms = self._kept[phrases] = KeyTerms(phrases, self._encoder)
            self.bytes += terms.bytes
        self._kept.move_to_end(phrases)
        while self.bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.bytes -= oldest.bytes
        return terms

    @cached_property
    def _encoder(self) -> Encoder:
        """Made when key terms are first given: it takes 6 MB."""
        return Encoder(self._pieces)

"""Key terms by their lists of phrases: the lists that were used last are cached."""

from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property

from streamer.models.moonshine.byte_pair_encoding import BytePairEncoder
from streamer.models.moonshine.key_terms import KeyTerms

MAX_BYTES = 2_000_000
"""Bytes, as `KeyTerms.bytes` counts them. A usual list of 100 names has 70 000, and 5 ms are needed
to read it; 100 phrases of 100 characters have up to 200 000."""


class KeyTermsCache:
    """The key terms of the lists of phrases that were used last.

    Args:
        pieces: The bytes of each token of the network.
        max_bytes: Limit for all lists together.

    Attributes:
        bytes: Of all lists that are cached.
    """

    def __init__(self, pieces: Sequence[bytes], max_bytes: int = MAX_BYTES) -> None:
        self._pieces = pieces
        self._max_bytes = max_bytes
        self._terms: OrderedDict[tuple[str, ...], KeyTerms] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        """How many lists are cached."""
        return len(self._terms)

    def get(self, phrases: tuple[str, ...]) -> KeyTerms:
        """The key terms of a list, cached or new."""
        terms = self._terms.get(phrases)
        if terms is None:
            terms = self._terms[phrases] = KeyTerms(phrases, self._byte_pair_encoder)
            self.bytes += terms.bytes
        self._terms.move_to_end(phrases)
        while self.bytes > self._max_bytes:
            _, oldest = self._terms.popitem(last=False)
            self.bytes -= oldest.bytes
        return terms

    @cached_property
    def _byte_pair_encoder(self) -> BytePairEncoder:
        """Made when key terms are first given: it takes 6 MB."""
        return BytePairEncoder(self._pieces)

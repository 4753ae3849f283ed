"""Two interims agree on their common beginning."""

from itertools import takewhile


class GrowingText:
    """What was sent, and the last interim."""

    def __init__(self) -> None:
        self._sent: list[str] = []
        self._last: list[str] = []

    def interim(self, text: str) -> list[str]:
        """The common beginning, without the last word of the newer one."""
        words = text.split()
        pairs = takewhile(lambda pair: pair[0] == pair[1], zip(self._last, words, strict=False))
        agreed = [word for word, _ in pairs][: max(0, len(words) - 1)]
        self._last = words
        if agreed[: len(self._sent)] != self._sent:
            return []
        added = agreed[len(self._sent) :]
        self._sent += added
        return added

    def final(self, text: str) -> list[str]:
        """All words that are left."""
        added = text.split()[len(self._sent) :]
        self._sent += added
        return added

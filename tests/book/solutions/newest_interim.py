"""A dictionary keeps the place of a key whose value is replaced."""

from collections.abc import Hashable


class Interims:
    """By channel, in the order of the first one that waited."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, object] = {}

    def add(self, channel: Hashable, interim: object) -> object | None:
        """Replace the value, and so keep the place."""
        replaced = self._waiting.get(channel)
        self._waiting[channel] = interim
        return replaced

    def next(self) -> object | None:
        """The first key is the oldest."""
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))

    def ended(self, channel: Hashable) -> object | None:
        """Take it out."""
        return self._waiting.pop(channel, None)

"""The time of the last message, and a subtraction."""


class IdleDeadline:
    """Remembers when the client's time began."""

    def __init__(self, limit_s: float, opened_s: float) -> None:
        self._limit_s = limit_s
        self._since_s = opened_s

    def on_message(self, now_s: float) -> None:
        """Begin anew."""
        self._since_s = now_s

    def check(self, now_s: float, *, result_is_due: bool) -> float | None:
        """Add the limit to the beginning."""
        if result_is_due:
            self._since_s = now_s
        end_s = self._since_s + self._limit_s
        return None if end_s <= now_s else end_s

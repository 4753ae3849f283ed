"""Two queues: results that the client has not got, and requests behind a reset."""

from collections import deque
from typing import Literal

Request = Literal["audio", "reset"]


class Replies:
    """While a reset waits, everything waits behind it."""

    def __init__(self) -> None:
        self._results: deque[str] = deque()
        self._partial = ""
        self._waiting: deque[Request] = deque()

    def growing(self, text: str) -> None:
        """Remember it."""
        self._partial = text

    def ended(self, text: str) -> None:
        """A result takes the place of what was known."""
        self._partial = ""
        if text:
            self._results.append(text)

    def asked(self, request: Request) -> list[tuple[str, str]]:
        """Answer, or queue."""
        if self._waiting or request == "reset":
            self._waiting.append(request)
            return []
        return [self._next()]

    def settled(self) -> list[tuple[str, str]]:
        """Answer the reset, and what was asked for up to the next one."""
        if not self._waiting:
            return []
        self._waiting.popleft()
        replies = [("text", " ".join(self._results))]
        self._results.clear()
        self._partial = ""
        while self._waiting and self._waiting[0] == "audio":
            self._waiting.popleft()
            replies.append(self._next())
        return replies

    def _next(self) -> tuple[str, str]:
        if self._results:
            return "text", self._results.popleft()
        return "partial", self._partial

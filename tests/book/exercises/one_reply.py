"""Exactly one reply to each request of a client that waits for it."""

from typing import Literal

Request = Literal["audio", "reset"]


class Replies:
    """The replies to one client, in the order of its requests.

    A piece of audio is answered at once: with the oldest result that the client has not got, or
    else with what is known of the segment that is still growing. A reset is answered when all
    results of the audio before it are there, with all that the client has not got. What is asked
    for after a reset is answered after it.

    A reply is ("text", the result) or ("partial", the text so far).
    """

    def __init__(self) -> None:
        raise NotImplementedError

    def growing(self, text: str) -> None:
        """What is known of the open segment."""
        raise NotImplementedError

    def ended(self, text: str) -> None:
        """The open segment has its result, and there is no open one any more.

        An empty result is no result.
        """
        raise NotImplementedError

    def asked(self, request: Request) -> list[tuple[str, str]]:
        """The client has asked for a reply; return what is to be sent now."""
        raise NotImplementedError

    def settled(self) -> list[tuple[str, str]]:
        """All results of the audio before the oldest reset are there; return what is to be sent.

        That is the reply to the reset, and then those to the audio behind it, up to the next reset.
        The reply to a reset is one text: all results, with spaces between them; "" without results.
        What was growing is forgotten. If no reset waits, nothing is to be sent.
        """
        raise NotImplementedError

"""What the reading side of the dialect tells its writing side, in the order of all events."""

from collections.abc import Callable

import msgspec


class CommitAsked(msgspec.Struct, frozen=True):
    """The client commits; a flush follows.

    Attributes:
        seconds: Of audio since the last commit.
    """

    seconds: float


class ClearAsked(msgspec.Struct, frozen=True):
    """The client discards what is not committed.

    Attributes:
        answered: Whether a `Cleared` follows: there is a stream.
    """

    answered: bool


class ModeChanged(msgspec.Struct, frozen=True):
    """What ends an item from the next segment on.

    Attributes:
        manual: The client does.
        prefix_ms: Milliseconds before speech that belong to its item.
        logprobs: Whether transcripts have log probabilities.
    """

    manual: bool
    prefix_ms: int
    logprobs: bool = False


class SessionChanged(msgspec.Struct, frozen=True):
    """An update has been applied.

    Attributes:
        kind: The type of the answer.
        content: Makes the settings as the client gets them. The line has room for less.
        mode: What of it concerns items.
    """

    kind: str
    content: Callable[[], dict[str, object]]
    mode: ModeChanged

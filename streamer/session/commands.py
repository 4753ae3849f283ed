"""What the reader of a socket tells the processor to do."""

from dataclasses import dataclass

from streamer.protocol.messages import ErrorCode, Failed, Start
from streamer.protocol.state import Action

NORMAL, POLICY, TOO_BIG, INTERNAL, RESTART, TRY_LATER = 1000, 1008, 1009, 1011, 1012, 1013
"""Close codes, RFC 6455 section 7.4.1 and https://www.iana.org/assignments/websocket."""


@dataclass(frozen=True, slots=True)
class Command:
    """An action of the protocol, with what it needs."""

    action: Action
    start: Start | None = None
    failure: Failed | None = None
    close_code: int = NORMAL


def failed(code: ErrorCode, message: str, *, fatal: bool = False) -> Failed:
    """The `error` event for something that is not about a piece of audio."""
    return Failed(code=code, message=message, fatal=fatal)

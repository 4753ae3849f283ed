"""What the protocol and the application exchange besides ASGI messages."""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from streamer.memory import LightEvent

ABORT, GONE, NOTICE = "streamer.abort", "streamer.gone", "streamer.notice"
DIRECT, PING, ALLOW = "streamer.direct", "streamer.ping", "streamer.allow"
SPENT = "streamer.spent"
"""Keys of the ASGI scope and its messages; read by `abort_of`, `gone_of`, `notice_of`,
`deliver_directly`, `ping_of`, `allow_messages_of` and `spent_of`."""

DirectReceiver = Callable[[bytes], bool]
"""Takes the content of a binary message, or returns False when it cannot take it now."""


@dataclass(frozen=True, slots=True)
class TooLargeNotice:
    """A message was larger than the limit; the client's later messages are discarded."""

    reason: str


@dataclass(frozen=True, slots=True)
class SlowedNotice:
    """The client sends faster than a limit allows, and is read more slowly from now on."""

    limit: str
    allowed: int


@dataclass(frozen=True, slots=True)
class PongNotice:
    """The client has answered the latest ping of `ping_of`.

    It sent the answer behind everything that it had sent before, and so does this notice come.
    """


@dataclass(frozen=True, slots=True)
class MalformedNotice:
    """What the client sends cannot be read; all of it is discarded from now on."""

    reason: str


Notice = TooLargeNotice | MalformedNotice | SlowedNotice | PongNotice


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """A function that cuts the connection off at once and drops what is not written yet."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort


def gone_of(scope: MutableMapping[str, Any]) -> LightEvent:
    """An event that is set when the connection is lost or the server shuts down."""
    gone: LightEvent = scope.get(GONE) or LightEvent()
    return gone


def deliver_directly(
    scope: MutableMapping[str, Any], receiver: DirectReceiver, *, joined: bool = False
) -> None:
    """Have binary messages passed to `receiver` as they arrive, without a queue.

    This happens only while the application waits in `receive`. A message that would overtake
    another one, or that `receiver` cannot take, is returned by `receive` like all others.

    Args:
        scope: Of the connection.
        receiver: Takes them.
        joined: Whether several messages may be passed as one.
    """
    register: Callable[[DirectReceiver, bool], None] = scope.get(DIRECT, lambda *_: None)
    register(receiver, joined)


def allow_messages_of(scope: MutableMapping[str, Any], max_bytes: int) -> None:
    """Allow larger messages than the limit of the configuration, from the next message on.

    Args:
        scope: Of the connection.
        max_bytes: Of a message.
    """
    allow: Callable[[int], None] = scope.get(ALLOW, lambda _: None)
    allow(max_bytes)


def spent_of(scope: MutableMapping[str, Any]) -> Callable[[float], None]:
    """A function that takes the seconds that a message or an answer has taken the application.

    They count as the time of parsing does: a client that floods gets a part of the event loop's
    time, and its answers cost more than its messages.
    """
    spent: Callable[[float], None] = scope.get(SPENT, lambda _: None)
    return spent


def ping_of(scope: MutableMapping[str, Any]) -> Callable[[], bool]:
    """A function that sends a ping; a `PongNotice` follows when the client answers it.

    It returns False when no ping can be sent now.
    """
    ping: Callable[[], bool] = scope.get(PING, lambda: False)
    return ping


def notice_of(message: Mapping[str, Any]) -> Notice | None:
    """The protocol's notice about the client, if the message carries one instead of content."""
    notice: Notice | None = message.get(NOTICE)
    return notice

"""What the protocol and the application exchange besides ASGI messages."""

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

ABORT, GONE, NOTICE = "streamer.abort", "streamer.gone", "streamer.notice"
DIRECT, PING = "streamer.direct", "streamer.ping"
"""Keys of the ASGI scope and its messages; read by `abort_of`, `gone_of`, `notice_of`,
`deliver_directly` and `ping_of`."""

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


Notice = TooLargeNotice | SlowedNotice | PongNotice


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """A function that cuts the connection off at once and drops what is not written yet."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort


def gone_of(scope: MutableMapping[str, Any]) -> asyncio.Event:
    """An event that is set when the connection is lost or the server shuts down."""
    gone: asyncio.Event = scope.get(GONE) or asyncio.Event()
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

"""What the protocol and the application exchange besides ASGI messages."""

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

ABORT, GONE, NOTICE = "streamer.abort", "streamer.gone", "streamer.notice"
DIRECT = "streamer.direct"
"""Keys of the ASGI scope and its messages; read by `abort_of`, `gone_of`, `notice_of` and
`deliver_directly`."""

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


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """A function that cuts the connection off at once and drops what is not written yet."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort


def gone_of(scope: MutableMapping[str, Any]) -> asyncio.Event:
    """An event that is set when the connection is lost or the server shuts down."""
    gone: asyncio.Event = scope.get(GONE) or asyncio.Event()
    return gone


def deliver_directly(scope: MutableMapping[str, Any], receiver: DirectReceiver) -> None:
    """Have binary messages passed to `receiver` as they arrive, without a queue.

    This happens only while the application waits in `receive`. A message that would overtake
    another one, or that `receiver` cannot take, is returned by `receive` like all others.
    """
    register: Callable[[DirectReceiver], None] = scope.get(DIRECT, lambda _: None)
    register(receiver)


def notice_of(message: Mapping[str, Any]) -> TooLargeNotice | SlowedNotice | None:
    """The protocol's notice about the client, if the message carries one instead of content."""
    notice: TooLargeNotice | SlowedNotice | None = message.get(NOTICE)
    return notice

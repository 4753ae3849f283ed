"""What the WebSocket protocol and the application tell each other besides ASGI."""

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

ABORT, GONE, NOTICE = "streamer.abort", "streamer.gone", "streamer.notice"
LISTEN = "streamer.listen"
"""Keys in the ASGI scope and its messages: for `abort_of`, `gone_of`, `notice_of`, `listen`."""

Listener = Callable[[bytes], bool]
"""Takes a binary message at once, or says that it cannot."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A message was too large to be taken; nothing after it will be."""

    why: str


@dataclass(frozen=True, slots=True)
class Slowed:
    """The client sends faster than a limit allows, and is read more slowly."""

    limit: str
    allowed: int


def abort_of(scope: MutableMapping[str, Any]) -> Callable[[], None]:
    """What cuts a socket's connection off at once, dropping whatever is not yet written."""
    abort: Callable[[], None] = scope.get(ABORT, lambda: None)
    return abort


def gone_of(scope: MutableMapping[str, Any]) -> asyncio.Event:
    """Set when a socket's connection is lost, or the server shuts down."""
    gone: asyncio.Event = scope.get(GONE) or asyncio.Event()
    return gone


def listen(scope: MutableMapping[str, Any], listener: Listener) -> None:
    """Have binary messages handed over at once, as long as the application waits in `receive`.

    A message that the listener cannot take, or that comes when it must not overtake another, goes
    the way of all others.
    """
    begin: Callable[[Listener], None] = scope.get(LISTEN, lambda _: None)
    begin(listener)


def notice_of(message: Mapping[str, Any]) -> TooLarge | Slowed | None:
    """What the protocol has to say about the client, in place of a message of its own."""
    notice: TooLarge | Slowed | None = message.get(NOTICE)
    return notice

"""The port for Wyoming, from its first connection to its last."""

import asyncio
from collections.abc import Callable

from uvicorn.server import ServerState

from streamer.config.ports import WyomingConfig
from streamer.dialects.wyoming.announcement import Announcement, announcement_of
from streamer.http.listening import Listeners

NewConnection = Callable[[], asyncio.Protocol]


class WyomingPort:
    """Accepts connections, and makes itself known if that is configured.

    Args:
        config: Of the port.
        listeners: None, if there is no port.
        factory_of: Returns what makes the protocol object of each connection; called when the
            server runs.
    """

    def __init__(
        self,
        config: WyomingConfig,
        listeners: Listeners,
        factory_of: Callable[[ServerState], NewConnection],
    ) -> None:
        self._listeners = listeners
        self._factory_of = factory_of
        self._announcement: Announcement | None = None
        if config.announce:
            self._announcement = announcement_of(listeners.port, listeners.addresses)

    async def open(self, server_state: ServerState, backlog: int) -> list[asyncio.Server]:
        """Accept connections; the servers are to be closed by the caller.

        Args:
            server_state: uvicorn's.
            backlog: Connections that may wait to be accepted.
        """
        if not self._listeners.sockets:
            return []
        loop = asyncio.get_running_loop()
        factory = self._factory_of(server_state)
        servers = [
            await loop.create_server(factory, sock=listener, backlog=backlog)
            for listener in self._listeners.sockets
        ]
        if self._announcement is not None:
            await self._announcement.begin()
        return servers

    async def leave(self) -> None:
        """Take the announcement back: the server is going to end."""
        if self._announcement is not None:
            await self._announcement.end()

"""Which server a new connection goes to."""

from collections.abc import Callable, Sequence


class Balancer:
    """Connections of several servers. A connection stays where it is.

    Args:
        servers: Their names; all are ready, and have no connections.
    """

    def __init__(self, servers: Sequence[str]) -> None:
        raise NotImplementedError

    def connect(self, accepts: Callable[[str], bool]) -> str | None:
        """Choose the server of a new connection, and count it.

        The ready server with the fewest connections is asked first; of several, the one that comes
        first in `servers`. If it refuses, the next one is asked. No server is asked twice.

        Args:
            accepts: Asks a server. False = it has no room (HTTP 503).

        Returns:
            None = no ready server has room.
        """
        raise NotImplementedError

    def closed(self, server: str) -> None:
        """A connection has ended."""
        raise NotImplementedError

    def report(self, server: str, *, ready: bool) -> None:
        """What a server's readiness probe has answered.

        A server that is not ready gets no new connections. It is draining, or still loading: the
        connections that it has go on, and count.
        """
        raise NotImplementedError

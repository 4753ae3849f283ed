"""Sort by what each has."""

from collections.abc import Callable, Sequence


class Balancer:
    """A count for each server."""

    def __init__(self, servers: Sequence[str]) -> None:
        self._connections = dict.fromkeys(servers, 0)
        self._ready = set(servers)

    def connect(self, accepts: Callable[[str], bool]) -> str | None:
        """`sorted` keeps the order of equal ones."""
        for server in sorted(self._connections, key=self._connections.__getitem__):
            if server in self._ready and accepts(server):
                self._connections[server] += 1
                return server
        return None

    def closed(self, server: str) -> None:
        """One less."""
        self._connections[server] -= 1

    def report(self, server: str, *, ready: bool) -> None:
        """Keep the count."""
        if ready:
            self._ready.add(server)
        else:
            self._ready.discard(server)

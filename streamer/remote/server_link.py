"""The bridge's end of the link to its server, and what else may end its wait."""

import os
import selectors
import socket
from collections import deque
from typing import NoReturn

from streamer.inference import ipc
from streamer.remote.own_node import NodeLost


class ServerGone(Exception):
    """The server has closed the link: the worker is not needed any more."""


def end_process(code: int) -> NoReturn:
    """End the bridge at once: Ray's own ending would wait for a cluster that may be gone."""
    os._exit(code)


class ServerLink:
    """Waits at the same time for the server, for other threads, and for the end of a node.

    Args:
        link: This end of the private socket pair.
    """

    def __init__(self, link: socket.socket) -> None:
        self.received: deque[ipc.WorkerMessage] = deque()
        self._link = link
        self._reader = ipc.WorkerMessageReader()
        self._heard, self._bell = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(link, selectors.EVENT_READ)
        self._selector.register(self._heard, selectors.EVENT_READ)
        self._node: socket.socket | None = None

    def send(self, message: ipc.WorkerMessage) -> None:
        """Send a message to the server."""
        self._link.sendall(ipc.encode_message(message))

    def watch_node(self, node: socket.socket) -> None:
        """Let `wait` also notice the end of the node that a connection leads to."""
        self._node = node
        self._selector.register(node, selectors.EVENT_READ)

    def ring(self) -> None:
        """End the `wait` of the bridge's own thread; any thread may call it."""
        os.write(self._bell, b"\0")

    def _node_speaks(self) -> bool:
        """Whether the node that is watched has sent something; else it has ended."""
        assert self._node is not None
        try:
            return bool(self._node.recv(1 << 10))
        except ConnectionError:
            return False

    def wait(self, seconds: float | None = None) -> None:
        """Return when messages have come or the bell was rung, or after some seconds.

        Raises:
            ServerGone: No message will come any more.
            NodeLost: The node that is watched has ended.
        """
        for key, _ in self._selector.select(seconds):
            if key.fileobj is self._node:
                if not self._node_speaks():
                    raise NodeLost("the node of Ray on this machine has ended")
                continue
            if key.fileobj is not self._link:
                os.read(self._heard, 1 << 10)
                continue
            data = self._link.recv(1 << 16)
            if not data:
                raise ServerGone
            self.received.extend(self._reader.feed(data))

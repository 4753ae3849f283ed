"""A reverse proxy as many put before a server: TLS, and a path of its own."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.certificates import self_signed


@contextlib.contextmanager
def tls_proxy(port: int, prefix: str, folder: Path) -> Iterator[int]:
    """Serve https on a free port, and hand what is below `prefix` to a port without it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(folder))
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:
                return
            connections.append(accepted)
            thread = threading.Thread(target=handle, args=(accepted,))
            threads.append(thread)
            thread.start()

    def handle(accepted: socket.socket) -> None:
        with (
            contextlib.suppress(OSError),
            context.wrap_socket(accepted, server_side=True) as client,
        ):
            connections.append(client)
            head = b""
            while b"\r\n\r\n" not in head:
                if not (data := client.recv(65_536)):
                    return
                head += data
            with socket.create_connection(("127.0.0.1", port)) as server:
                connections.append(server)
                server.sendall(_rewrite(head, prefix))
                back = threading.Thread(target=_copy, args=(server, client))
                back.start()
                _copy(client, server)
                back.join()

    acceptor = threading.Thread(target=serve)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _rewrite(head: bytes, prefix: str) -> bytes:
    """Without the prefix, and one request a connection unless it becomes a WebSocket."""
    head = re.sub(rb"^(\w+) " + prefix.encode(), rb"\1 ", head, count=1)
    if b"upgrade: websocket" in head.lower():
        return head
    return re.sub(rb"(?i)\r\nconnection: [^\r]*", b"\r\nConnection: close", head, count=1)

"""A name server for one name, whose addresses change, as Docker's own is for a service."""

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

HEADER = struct.Struct(">HHHHHH")
ANSWER = struct.Struct(">HHHIH4s")
TYPE_A, CLASS_IN = 1, 1
POINTER_TO_QUESTION = 0xC00C
RESPONSE_WITHOUT_ERROR = 0x8180


class NameServer:
    """Answers every question of IPv4 with its addresses, and others with none.

    Attributes:
        port: On 127.0.0.1, UDP.
        addresses: Those that the name has now.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._closed = threading.Event()
        self.port: int = self._socket.getsockname()[1]

    def serve(self) -> None:
        """Answer until `close` is called."""
        with self._socket:
            while not self._closed.is_set():
                with suppress(TimeoutError):
                    asked, client = self._socket.recvfrom(4_096)
                    self._socket.sendto(self._answer(asked), client)

    def close(self) -> None:
        """End `serve`."""
        self._closed.set()

    def _answer(self, asked: bytes) -> bytes:
        number, *_ = HEADER.unpack_from(asked)
        end = HEADER.size
        while asked[end]:
            end += 1 + asked[end]
        question = asked[HEADER.size : end + 5]
        kind = struct.unpack_from(">H", asked, end + 1)[0]
        found = self.addresses if kind == TYPE_A else []
        header = HEADER.pack(number, RESPONSE_WITHOUT_ERROR, 1, len(found), 0, 0)
        return (
            header
            + question
            + b"".join(
                ANSWER.pack(POINTER_TO_QUESTION, TYPE_A, CLASS_IN, 1, 4, socket.inet_aton(address))
                for address in found
            )
        )


@contextmanager
def name_server(addresses: Sequence[str]) -> Iterator[NameServer]:
    """Run one until the context ends."""
    server = NameServer(addresses)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()

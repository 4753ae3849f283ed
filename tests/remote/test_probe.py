"""Whether the head of a cluster answers: bounded in time, whatever listens there."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from streamer.remote.probe import problem_of
from tools.harness.ports import free_port


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that does something with its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def test_a_grpc_server_answers() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:
        server = grpc.server(threads)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        assert problem_of(f"127.0.0.1:{port}", 10.0) is None
        server.stop(None).wait()


def test_nobody_listens() -> None:
    problem = problem_of(f"127.0.0.1:{free_port()}", 1.0)
    assert problem is not None
    assert problem.endswith("cannot be reached: Connection refused")


def test_a_name_that_is_none() -> None:
    problem = problem_of("no-such-host.invalid:6379", 1.0)
    assert problem is not None
    assert problem.startswith("no-such-host.invalid:6379 cannot be reached: ")


def test_one_that_says_nothing_is_left_in_time() -> None:
    begun_s = time.monotonic()
    asked = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        while connection.recv(1 << 10):
            asked.set()

    with listening(say_nothing) as address:
        assert problem_of(address, 0.2) == (
            f"{address} did not answer within 0.2 s (remote.connect_seconds)"
        )
    assert asked.is_set()
    assert time.monotonic() - begun_s < 30, "and not for the minutes that Ray takes"


def test_one_that_says_a_byte_now_and_then_is_left_in_time_too() -> None:
    def trickle(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for _ in range(1_000):
                connection.sendall(b"\0")
                time.sleep(0.11)

    with listening(trickle) as address:
        problem = problem_of(address, 0.3)
    assert problem is not None
    assert "did not answer within 0.3 s" in problem


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks another protocol"),
        (b"-ERR unknown command\r\n", "speaks another protocol"),
        (b"", "has closed the connection"),
    ],
)
def test_one_that_is_something_else(says: bytes, expected: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1 << 10)
        connection.sendall(says)

    with listening(answer) as address:
        problem = problem_of(address, 10.0)
    assert problem == f"{address} {expected}; is it the head of a Ray cluster?"

"""All addresses of a host are listened on, with one port."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from streamer.http.listening import MAX_ATTEMPTS, Listeners, listen

Target = tuple[int, str]
V4, V6 = socket.AF_INET, socket.AF_INET6


def resolving(*targets: Target) -> Any:
    def resolve(host: str | None, port: int, **_: object) -> Sequence[tuple[Any, ...]]:
        return [
            (family, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)[: 2 if family == V4 else 4])
            for family, address in targets
        ]

    return resolve


@contextmanager
def listening(host: str, port: int, *targets: Target) -> Iterator[Listeners]:
    listeners = listen(host, port, 20_000, resolving(*targets) if targets else socket.getaddrinfo)
    with ExitStack() as stack:
        for listener in listeners.sockets:
            stack.enter_context(listener)
        yield listeners


def connects(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), 5).close()
    except OSError:
        return False
    return True


def has_v6() -> bool:
    try:
        with socket.socket(V6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_v6 = pytest.mark.skipif(not has_v6(), reason="this machine has no IPv6")


def test_an_address_alone() -> None:
    with listening("127.0.0.1", 0) as listeners:
        assert listeners.addresses == ["127.0.0.1"]
        assert connects("127.0.0.1", listeners.port)
        assert not connects("127.0.0.2", listeners.port)


def test_several_addresses_have_one_port() -> None:
    with listening("name", 0, (V4, "127.0.0.1"), (V4, "127.0.0.2")) as listeners:
        assert listeners.addresses == ["127.0.0.1", "127.0.0.2"]
        assert {each.getsockname()[1] for each in listeners.sockets} == {listeners.port}
        assert all(connects(address, listeners.port) for address in listeners.addresses)
        with pytest.raises(OSError, match=str(errno.EADDRINUSE)):
            listen("127.0.0.2", listeners.port, 20_000)


@needs_v6
def test_both_kinds_of_loopback() -> None:
    with listening("localhost", 0, (V6, "::1"), (V4, "127.0.0.1")) as listeners:
        assert connects("::1", listeners.port)
        assert connects("127.0.0.1", listeners.port)


@needs_v6
def test_all_addresses_of_both_kinds() -> None:
    with listening("", 0, (V4, "0.0.0.0"), (V6, "::")) as listeners:
        assert len(listeners.sockets) == 2
        assert connects("::1", listeners.port)
        assert connects("127.0.0.1", listeners.port)


@needs_v6
def test_all_addresses_of_ipv6_alone_take_ipv4_as_well() -> None:
    with listening("::", 0) as listeners:
        assert connects("127.0.0.1", listeners.port)


def test_an_address_that_is_named_twice() -> None:
    with listening("name", 0, (V4, "127.0.0.1"), (V4, "127.0.0.1")) as listeners:
        assert listeners.addresses == ["127.0.0.1"]


@pytest.mark.parametrize("elsewhere", [(V4, "203.0.113.1"), (V6, "2001:db8::1")])
@pytest.mark.parametrize("first", [True, False])
def test_an_address_that_is_not_here_is_skipped(elsewhere: Target, *, first: bool) -> None:
    targets: list[Target] = [(V4, "127.0.0.1")]
    targets.insert(0 if first else 1, elsewhere)
    with listening("name", 0, *targets) as listeners:
        assert (listeners.addresses, listeners.skipped) == (["127.0.0.1"], [elsewhere[1]])


def test_no_address_is_here() -> None:
    with pytest.raises(OSError, match=r"."):
        listen("name", 0, 20_000, resolving((V4, "203.0.113.1"), (V4, "203.0.113.2")))


def test_a_port_that_is_in_use_on_one_of_them() -> None:
    """Nothing listens on the others then."""
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as caught:  # noqa: PT011
            listen("name", port, 20_000, resolving((V4, "127.0.0.1"), (V4, "127.0.0.2")))
        assert caught.value.errno == errno.EADDRINUSE
        assert not connects("127.0.0.1", port)


def test_a_free_port_is_looked_for_until_it_is_free_on_all(monkeypatch: pytest.MonkeyPatch) -> None:
    bind, refusals = socket.socket.bind, MAX_ATTEMPTS - 1

    class Picky(socket.socket):
        def bind(self, address: Any) -> None:
            nonlocal refusals
            if address[0] == "127.0.0.2" and refusals:
                refusals -= 1
                raise OSError(errno.EADDRINUSE, "in use")
            bind(self, address)

    monkeypatch.setattr(socket, "socket", Picky)
    with listening("name", 0, (V4, "127.0.0.1"), (V4, "127.0.0.2")) as listeners:
        assert len({each.getsockname()[1] for each in listeners.sockets}) == 1
    assert refusals == 0

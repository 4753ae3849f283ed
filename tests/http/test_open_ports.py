"""The warning about an address without tokens names what other machines can reach."""

import logging

import pytest

from streamer.access.tokens import Access
from streamer.config.ports import VoskConfig, WyomingConfig
from streamer.config.schema import Config
from streamer.http.listening import listen
from streamer.http.ports import report_vosk, report_wyoming, warn_if_open

NO_TOKENS = Access((), lambda: 0.0)
LOCAL = "http://127.0.0.1:8195"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_all_addresses_are_no_safe_one(host: str, caplog: pytest.LogCaptureFixture) -> None:
    warn_if_open(host, LOCAL, NO_TOKENS)
    (line,) = caplog.messages
    assert line == (
        "everybody who can reach port 8195 on any address of this machine can use this server: "
        "set access.tokens, or listen on 127.0.0.1"
    )


def test_one_address_is_named(caplog: pytest.LogCaptureFixture) -> None:
    warn_if_open("10.0.0.7", "http://10.0.0.7:8195", NO_TOKENS)
    (line,) = caplog.messages
    assert line.startswith("everybody who can reach http://10.0.0.7:8195 can use this server: ")


def test_the_machine_itself_is_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        warn_if_open(host, LOCAL, NO_TOKENS)
    warn_if_open("0.0.0.0", LOCAL, Access(("token",), lambda: 0.0))
    assert caplog.messages == []


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7"])
def test_ports_of_single_protocols(host: str, caplog: pytest.LogCaptureFixture) -> None:
    listeners = listen("127.0.0.1", 0, 1_000)
    port = listeners.port
    with listeners.sockets[0], caplog.at_level(logging.WARNING):
        report_wyoming(WyomingConfig(host=host, port=1), listeners, NO_TOKENS)
        report_vosk(Config(vosk=VoskConfig(host=host, port=1)), listeners, NO_TOKENS)
    assert len(caplog.messages) == 2
    for line in caplog.messages:
        assert (f"reach port {port} on any address" in line) == (host == "0.0.0.0")
        assert ("10.0.0.7" in line) == (host != "0.0.0.0")
        assert "reach tcp://127.0.0.1" not in line

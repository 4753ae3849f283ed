"""What is shown of the ports for single dialects."""

import pytest

from streamer.access.tokens import Access
from streamer.config.ports import WyomingConfig
from streamer.http.listening import listen
from streamer.http.ports import report_wyoming


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("::1", "[::1]"),
        ("voice.example", "voice.example"),
    ],
)
def test_the_address_of_wyoming_can_be_used(host: str, shown: str) -> None:
    """Also where the server listens on all of its addresses."""
    listeners = listen("127.0.0.1", 0, 1_000)
    access = Access((), lambda: 0.0)
    with listeners.sockets[0]:
        address = report_wyoming(WyomingConfig(host=host, port=1), listeners, access)
        assert address == f"tcp://{shown}:{listeners.port}"

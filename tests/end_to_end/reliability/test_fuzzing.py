"""Whatever bytes come: an answer in order, and not a line in the log that should not be there."""

import contextlib
import itertools
import json
import socket

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tools.harness.process import Server
from tools.harness.raw import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    START,
    TEXT,
    close_code,
    frame,
    open_connection,
    open_websocket,
    parse_frames,
    read_to_end,
    read_until_close,
    upgrade_request,
)

OF_CLIENTS = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
"""Codes that a client may close with."""

FUZZ = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

almost_http = st.lists(
    st.sampled_from(
        [b"GET ", b"POST ", b"/ ", b"HTTP/1.1", b"\r\n", b"Host: x", b":", b"\0", b"\xff"]
    )
    | st.binary(max_size=40),
    max_size=12,
).map(b"".join)


@FUZZ
@given(almost_http)
def test_bytes_before_the_upgrade(standin: Server, data: bytes) -> None:
    with open_connection(standin) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(data + b"\r\n\r\n")
            raw.shutdown(socket.SHUT_WR)
        answer = read_to_end(raw)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert standin.get("/health").status == 200


headers = st.dictionaries(
    st.sampled_from(
        [
            *("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"),
            *("Sec-WebSocket-Extensions", "Upgrade", "Connection", "Origin"),
            *("traceparent", "X-Forwarded-For"),
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(str.strip),
    max_size=4,
)


@FUZZ
@given(headers)
def test_headers_of_the_upgrade(standin: Server, given_: dict[str, str]) -> None:
    with open_connection(standin) as raw:
        raw.sendall(upgrade_request(**given_))
        raw.sendall(frame(TEXT, START))
        answer = raw.recv(4096)
    status = int(answer.split(b" ")[1])
    assert status in {101, *range(200, 500)}


frame_like = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=200),
    st.sampled_from([0x00, 0x80, 0x80, 0x80, 0x40, 0x20, 0x10]),
)


@FUZZ
@given(st.lists(st.binary(max_size=30) | frame_like, min_size=1, max_size=20))
def test_bytes_after_the_upgrade(standin: Server, parts: list[bytes]) -> None:
    """It is closed with a code, for a reason that RFC 6455 or the protocol knows."""
    with open_websocket(standin) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall(b"".join(parts) + frame(CLOSE, b"\x03\xe8") + bytes(4_096))
        code = close_code(read_until_close(raw))
    # A closing frame is answered with its own code, or with none (0) when it had none.
    assert code is not None
    assert code in {0, 1002, 1007, 1009} or code in OF_CLIENTS


class _Conversation(RuleBasedStateMachine):
    """Start, audio and stop in any order and any cut: whatever is legal is answered in order."""

    server: Server

    @initialize()
    def open(self) -> None:
        self.stack = contextlib.ExitStack()
        self.raw = self.stack.enter_context(open_websocket(self.server))
        self.streams = 0
        self.open_stream = self.had_stream = False

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    @rule()
    def start(self) -> None:
        self.send(frame(TEXT, START))
        self.streams += 1
        self.open_stream = self.had_stream = True

    @rule(
        data=st.binary(min_size=1, max_size=2_000), cuts=st.lists(st.integers(0, 2_000), max_size=3)
    )
    def audio(self, data: bytes, cuts: list[int]) -> None:
        bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        parts = [data[a:b] for a, b in itertools.pairwise(bounds)]
        for index, part in enumerate(parts):
            flags = 0x80 if index == len(parts) - 1 else 0
            self.send(frame(BINARY if index == 0 else CONT, part, flags))
        if self.had_stream and not self.open_stream:
            self.streams += 1
            self.open_stream = True

    @precondition(lambda self: self.open_stream)
    @rule()
    def stop(self) -> None:
        self.send(frame(TEXT, b'{"request": "stop"}'))
        self.open_stream = False

    @rule()
    def flush(self) -> None:
        self.send(frame(TEXT, b'{"request": "flush"}'))

    @rule(data=st.binary(max_size=125))
    def ping(self, data: bytes) -> None:
        self.send(frame(PING, data))

    @rule(text=st.text(max_size=40))
    def nonsense(self, text: str) -> None:
        self.send(frame(TEXT, json.dumps({"request": text}).encode()))

    @rule()
    def bad_format(self) -> None:
        self.send(frame(TEXT, b'{"request": "start", "format": {"sample_rate": 1}}'))
        self.open_stream = self.had_stream = False

    def teardown(self) -> None:
        with self.stack:
            self.send(frame(TEXT, b'{"request": "stop", "disconnect": true}'))
            received = read_until_close(self.raw)
        assert close_code(received) == 1000
        kinds = [
            json.loads(text)["type"] for opcode, text in parse_frames(received) if opcode == TEXT
        ]
        assert kinds.count("started") == kinds.count("stopped") == self.streams


def test_any_conversation(standin: Server) -> None:
    machine = type("Conversation", (_Conversation,), {"server": standin})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25))


def test_bytes_that_are_no_text_beside_a_close(standin: Server) -> None:
    """Both are there when the first is looked at, and the close is answered."""
    with open_websocket(standin) as raw:
        raw.sendall(frame(TEXT, b"\x82") + frame(CLOSE, b"\x03\xe8"))
        assert close_code(read_until_close(raw)) == 1000

"""What a stream of a load makes of the events that come back."""

import json
import socket
from typing import Any

import pytest

from streamer.load.load_report import LoadReport
from streamer.load.load_stream import LoadStream
from streamer.load.plan import LoadPlan
from streamer_client.formats import AudioFormat


def server_frame(event: dict[str, Any]) -> bytes:
    payload = json.dumps(event).encode()
    assert len(payload) < 126
    return bytes((0x81, len(payload))) + payload


@pytest.mark.parametrize(
    ("ends", "shown_first"),
    [((), False), ((0.5,), False), ((0.5, 1.25), True), ((1.25, 1.5), True), ((1.0,), True)],
)
def test_the_last_words_are_shown_by_the_first_result_with_all_of_them(
    ends: tuple[float, ...], shown_first: bool
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        report = LoadReport()
        plan = LoadPlan("ws://x", 1, 4.0, b"", AudioFormat(16_000, 1, 16))
        stream = LoadStream((ours, b""), plan, report, memoryview(bytes(16)), 8, 0)
        for _ in range(200):
            stream.send(0.0, 0.0)
        span = {"start_time": 0.0, "channel": 0}
        for event in (
            {"type": "active", "time": 0.0, "channel": 0},
            *({"type": "interim", "end_time": end, **span} for end in ends),
            {"type": "inactive", "time": 1.0, "channel": 0},
            {"type": "segment", "end_time": 1.25, **span},
        ):
            theirs.sendall(server_frame(event))
            stream.receive()
    (shown_ms,), (final_ms,) = report.shown_ms, report.final_ms
    assert (shown_ms < final_ms) == shown_first

"""What the soak counts as lost, and what as reported."""

from typing import Any

import pytest

from tools.soak.played_streams import StreamTally

SEGMENT = {
    "type": "segment",
    "channel": 0,
    "start_time": 0.0,
    "end_time": 1.0,
}
FAILED = {
    "type": "error",
    "code": "worker_lost",
    "fatal": False,
    "start_time": 2.0,
    "end_time": 3.0,
}
OVERLOADED = {"type": "error", "code": "overloaded", "fatal": True}


def counted(*events: dict[str, Any]) -> StreamTally:
    tally = StreamTally([(0.0, 1.0), (2.0, 3.0)])
    tally.count(list(events), "1006 ")
    return tally


@pytest.mark.parametrize(
    ("events", "lost", "failed"),
    [
        ((SEGMENT,), 1, {}),
        ((SEGMENT, FAILED), 0, {"worker_lost": 1}),
        ((SEGMENT, OVERLOADED), 0, {"overloaded": 1}),
        ((SEGMENT, FAILED, OVERLOADED), 0, {"worker_lost": 1}),
        ((OVERLOADED,), 0, {"overloaded": 2}),
        ((), 2, {}),
    ],
)
def test_only_what_no_event_speaks_of_is_lost(
    events: tuple[dict[str, Any], ...], lost: int, failed: dict[str, int]
) -> None:
    tally = counted(*events)
    assert tally.lost == lost
    assert +tally.failed == failed


def test_a_stream_that_broke_off_says_how_it_was_closed() -> None:
    (breach,) = counted(SEGMENT).wrong
    assert breach.endswith("closed with 1006 ")

"""Check of the exercise `event_order`."""

from typing import Any

import pytest

from tests.book.exercise import load

answer = load("event_order")

Event = dict[str, Any]
BEGIN: Event = {"type": "started"}
END: Event = {"type": "stopped"}


def active(time: float) -> Event:
    return {"type": "active", "time": time}


def inactive(time: float) -> Event:
    return {"type": "inactive", "time": time}


def interim(start: float, end: float) -> Event:
    return {"type": "interim", "start_time": start, "end_time": end}


def segment(start: float, end: float) -> Event:
    return {"type": "segment", "start_time": start, "end_time": end}


ONE = [active(1.0), interim(0.6, 1.8), inactive(2.0), segment(0.6, 2.2)]


@pytest.mark.parametrize(
    "events",
    [
        [BEGIN, END],
        [BEGIN, *ONE, END],
        [BEGIN, active(1.0), inactive(2.0), active(2.1), inactive(3.0),
         segment(0.6, 2.2), segment(2.2, 3.2), END],
        [BEGIN, active(1.0), inactive(2.0), active(2.1), interim(2.1, 2.6), segment(0.6, 2.2),
         interim(2.1, 3.0), inactive(3.0), segment(2.2, 3.2), END],
    ],
)  # fmt: skip
def test_streams_without_a_fault(events: list[Event]) -> None:
    assert answer.first_fault(iter(events)) is None


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([], "no stopped"),
        ([BEGIN, *ONE], "no stopped"),
        ([END], "stopped before started"),
        ([active(0.1), BEGIN, END], "active before started"),
        ([BEGIN, BEGIN], "started twice"),
        ([BEGIN, END, BEGIN], "started after stopped"),
        ([BEGIN, *ONE, END, active(3.0)], "active after stopped"),
        ([BEGIN, active(1.0), active(1.5), END], "active twice"),
        ([BEGIN, inactive(1.0), END], "inactive without active"),
        ([BEGIN, *ONE, inactive(3.0)], "inactive without active"),
        ([BEGIN, *ONE, interim(2.2, 2.5)], "interim outside of speech"),
        ([BEGIN, active(1.0), segment(0.6, 2.2), inactive(2.0), END], "segment without speech"),
        ([BEGIN, *ONE, segment(2.2, 2.3), END], "segment without speech"),
        ([BEGIN, *ONE, active(2.1), inactive(3.0), segment(2.1, 3.2), END],
         "segment before the end of the last one"),
        ([BEGIN, active(1.0), END], "stopped too early"),
        ([BEGIN, active(1.0), inactive(2.0), END, segment(0.6, 2.2)], "stopped too early"),
    ],
)  # fmt: skip
def test_the_first_fault_is_named(events: list[Event], fault: str) -> None:
    assert answer.first_fault(iter(events)) == fault

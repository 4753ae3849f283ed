"""Trace contexts: what is taken from a client, and what is not."""

import pytest

from streamer.observe.traceparent import TraceContext, new_context, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "text",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f"cc-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01-what-the-future-brings",
    ],
)
def test_a_traceparent(text: str) -> None:
    assert parse(text) == TraceContext(TRACE, SPAN, sampled=not text.endswith("-00"))


def test_a_bare_trace_id() -> None:
    assert parse(TRACE) == TraceContext(TRACE, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        TRACE[:-1],
        TRACE + "0",
        TRACE.upper(),
        "g" * 32,
        "0" * 32,
        TRACE + "\n",
        " " + TRACE,
        "٣" * 32,  # digits, but not ASCII
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"0-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00_{TRACE}_{SPAN}_01",
    ],
)
def test_neither(text: str) -> None:
    assert parse(text) is None


def test_a_new_trace_is_one_that_would_be_accepted_and_another_each_time() -> None:
    first, second = new_context(), new_context()
    assert parse(first.trace_id) == first
    assert first != second

"""Subtitles of a stream: cues in order of time, whatever the order of its events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.subtitles.cues import Cue, TimedText, cues_of
from streamer_client.cue_order import CueOrder
from streamer_client.events import Event, parse_event
from streamer_client.transcript import make_formatter

VAD = {"min_silence_ms": 400}


def event(type: str, **fields: Any) -> Event:  # noqa: A002
    return parse_event(json.dumps({"type": type, **fields}))


def active(time: float, channel: int) -> Event:
    return event("active", time=time, channel=channel)


def segment(start: float, end: float, channel: int, text: str = "word") -> Event:
    return event("segment", start_time=start, end_time=end, channel=channel, text=text)


def starts(cues: list[Cue]) -> list[tuple[float, int]]:
    return [(cue.start_ms / 1000, cue.channel) for cue in cues]


def test_one_channel_does_not_wait() -> None:
    order = CueOrder(1)
    order.place(event("started", vad=VAD))
    order.place(active(1.0, 0))
    order.place(active(3.0, 0))
    assert starts(order.place(segment(0.9, 2.0, 0))) == [(0.9, 0)]


def test_a_cue_waits_for_the_segment_of_another_channel_that_began_before_it() -> None:
    order = CueOrder(2)
    order.place(event("started", vad=VAD))
    order.place(active(0.3, 0))
    order.place(active(20.0, 1))
    assert order.place(segment(19.8, 22.0, 1)) == []
    assert starts(order.place(segment(0.1, 15.0, 0))) == [(0.1, 0)]
    assert order.place(active(24.0, 1)) == []  # speech at 15 s of channel 1 may be announced yet
    assert starts(order.place(active(30.0, 1))) == [(19.8, 1)]


def test_a_failed_segment_is_not_waited_for() -> None:
    order = CueOrder(2)
    order.place(event("started", vad=VAD))
    order.place(active(0.3, 0))
    order.place(active(1.0, 1))
    assert order.place(segment(0.8, 2.0, 1)) == []
    failed = event("error", code="inference_failed", channel=0, start_time=0.1, end_time=3.0)
    assert starts(order.place(failed)) == [(0.8, 1)]


def test_chunks_come_in_order_of_time_then_of_channels() -> None:
    order = CueOrder(2)
    order.place(event("started", vad=None))
    assert order.place(segment(0, 2, 1)) == []
    assert order.place(segment(2, 4, 1)) == []
    assert starts(order.place(segment(0, 2, 0))) == [(0.0, 0), (0.0, 1)]
    assert starts(order.place(segment(2, 4, 0))) == [(2.0, 0), (2.0, 1)]


def test_the_end_brings_the_rest() -> None:
    formatter = make_formatter("srt", 2)
    formatter.event(event("started", vad=VAD))
    assert formatter.event(active(0.3, 0)) == ""
    assert formatter.event(segment(1.0, 2.0, 1, "later")) == ""
    assert formatter.event(segment(0.1, 3.0, 0, "earlier")) == (
        "1\n00:00:00,100 --> 00:00:03,000\n[channel 1] earlier\n\n"
        "2\n00:00:01,000 --> 00:00:02,000\n[channel 2] later\n\n"
    )
    assert formatter.event(segment(3.0, 4.0, 0, "last")) == ""
    assert formatter.end().startswith("3\n")
    assert formatter.end() == ""


LATENCIES_S = st.sampled_from([0.0, 0.3, 60.0])


@given(data=st.data(), channels=st.integers(1, 3))
def test_any_order_that_a_server_may_send_is_put_right(data: st.DataObject, channels: int) -> None:
    """Speech is announced within some seconds; results come at any time after its end."""
    said: list[TimedText] = []
    timed: list[tuple[float, Event]] = []
    for channel in range(channels):
        announced_after_s = data.draw(st.floats(0, 3))
        time_s = answered_s = 0.0
        for _ in range(data.draw(st.integers(0, 5))):
            time_s += data.draw(st.sampled_from([0.0, 0.5, 3.0, 40.0]))
            end_s = time_s + data.draw(st.sampled_from([0.5, 2.0, 15.0]))
            answered_s = max(answered_s, end_s + announced_after_s + data.draw(LATENCIES_S))
            said.append(TimedText(time_s, end_s, "One. Two, three.", channel))
            timed.append((time_s + announced_after_s, active(time_s + 0.1, channel)))
            timed.append((answered_s, segment(time_s, end_s, channel, said[-1].text)))
            time_s = end_s
    order = CueOrder(channels)
    cues = order.place(event("started", vad=VAD))
    for _, each in sorted(timed, key=lambda pair: pair[0]):
        cues += order.place(each)
    assert cues + order.rest() == cues_of(said, channels)


@pytest.mark.parametrize("channel", [2, None])
def test_text_of_an_unexpected_channel_is_kept(channel: int | None) -> None:
    order = CueOrder(2)
    strange = event("segment", start_time=0, end_time=1, channel=channel, text="word")
    assert len(order.place(strange) + order.rest()) == 1

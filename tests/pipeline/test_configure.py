"""Other settings in the middle of a stream: they count for what begins later, and time goes on."""

import gc
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline.context import Segmentation
from streamer.pipeline.pending import ResultSettings
from streamer.protocol.events import Active, Interim, Segment
from streamer.protocol.requests import Configure, VadOptions
from tests.pipeline.played import (
    FORMATS,
    VAD,
    Heard,
    Piece,
    audio,
    burst,
    check_order,
    cut,
    every_format,
    every_kind,
    hear,
    same,
)

S16 = FORMATS["s16"]
SECOND = 2 * 16_000
"""Bytes of a second of it."""

vads = st.builds(
    VadOptions,
    threshold=st.none() | st.sampled_from([0.2, 0.5, 0.9]),
    min_silence_ms=st.none() | st.integers(50, 400),
    min_speech_ms=st.none() | st.integers(0, 100),
    prefix_padding_ms=st.none() | st.integers(0, 300),
    max_segment_ms=st.none() | st.integers(1_000, 3_000),
)
CLEAR: list[Piece] = ["clear"]
configures = st.builds(
    Configure,
    vad=st.none() | vads,
    interim_results=st.none() | st.booleans(),
    eager=st.none() | st.booleans(),
    keyterms=st.none() | st.lists(st.sampled_from(["one", "two"]), max_size=2).map(tuple),
)
actions = st.none() | st.sampled_from(CLEAR) | configures


@every_kind
@every_format
@settings(max_examples=15)
@given(st.data())
def test_any_cut_with_other_settings_anywhere(
    name: str, segmentation: Segmentation, data: st.DataObject
) -> None:
    """How the audio is split over messages does not matter; no time ever goes back."""
    fmt = FORMATS[name]
    sent = audio(fmt, 3.6)
    done = data.draw(st.lists(st.tuples(st.integers(0, len(sent)), actions), max_size=6), "done")
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=20), "cuts")
    slowness = data.draw(st.integers(0, 6), "pieces that a result takes")
    patient: Literal["no", "alone"] = data.draw(st.sampled_from(["no", "alone"]), "patient")
    done.sort(key=lambda each: each[0])
    parts = cut(sent, [place for place, _ in done])
    whole, pieces = list[Piece](), list[Piece]()
    acts: list[Piece] = [*(act for _, act in done), b""]
    for part, act in zip(parts, acts, strict=True):
        assert part is not None
        whole += [part, act]
        pieces += [*cut(part, [place % (len(part) + 1) for place in places]), act]
    one = hear(fmt, whole, segmentation=segmentation)
    other = hear(fmt, pieces, segmentation=segmentation, slowness=slowness, patient=patient)
    same(one, other)
    check(one, segmentation)
    check(other, segmentation)


def check(heard: Heard, segmentation: Segmentation) -> None:
    """Each segment has the settings that were in force when it began; the sums close."""
    begun_s = [0.0, *(event.time for event in heard.configured)]
    assert begun_s == sorted(begun_s)
    for channel, account in zip(heard.channels, heard.stopped.seconds, strict=True):
        check_order(channel.all, without_vad=segmentation != "speech")
        # A segment that is discarded has an `active`, and no more.
        active_s = 0.0
        waiting = list[float]()
        for event in channel.all:
            match event:
                case Active(time=active_s):
                    waiting.append(active_s)
                case Segment():
                    at = waiting.pop(0) if segmentation == "speech" else event.start_time
                    assert event.output["terms"] == in_force(heard, at)
                    if segmentation == "speech":
                        longest_s = max_segment_s(heard, at)
                        assert event.end_time - event.start_time <= longest_s + 1e-9
                case Interim():
                    latest = [c for c in heard.configured if c.time <= active_s][-1]
                    assert latest.interim_results or latest.eager
                case _:
                    if event in channel.cleared:
                        waiting.clear()
        lost = account.received - account.transcribed - account.failed - account.dropped
        assert lost > -1e-6
        assert account.speech <= account.transcribed + account.dropped + 1e-6


def in_force(heard: Heard, at: float) -> tuple[str, ...]:
    terms = [tuple(dict.fromkeys(c.keyterms)) for c in heard.configured if c.time <= at]
    return terms[-1] if terms else ()


def max_segment_s(heard: Heard, at: float) -> float:
    limits = [c.vad.max_segment_ms for c in heard.configured if c.time <= at and c.vad]
    return (limits[-1] if limits else VAD.max_segment_ms or 0) / 1000


@every_kind
@settings(max_examples=25)
@given(
    places=st.lists(st.integers(0, int(3.6 * SECOND)), max_size=5),
    window=st.sampled_from([320, 512]),
)
def test_the_same_settings_again_change_nothing(
    segmentation: Segmentation, places: list[int], window: Literal[320, 512]
) -> None:
    sent = audio(S16, 3.6)
    pieces: list[Piece] = []
    for part in cut(sent, places):
        pieces += [part, Configure(vad=VAD, interim_results=False)]
    again = hear(S16, pieces, segmentation=segmentation, window=window)
    once = hear(S16, [sent], segmentation=segmentation, window=window)
    same(again._replace(configured=[]), once)
    assert [event.time for event in again.configured] == sorted(e.time for e in again.configured)


def test_a_segment_that_has_begun_keeps_its_settings() -> None:
    """It is still open for a while with the silence of before; the next one is not."""
    first, second = burst(S16, 0.1, 0.5), burst(S16, 0.3, 0.7)
    sent = first + second + bytes(SECOND)
    patient = Configure(vad=VadOptions(min_silence_ms=700), keyterms=("Oslo",))
    at = int(0.3 * SECOND)
    [heard] = hear(S16, [sent[:at], patient, sent[at:]]).channels
    [unchanged] = hear(S16, [sent]).channels
    assert heard.vad[:3] == unchanged.vad[:3]
    assert [segment.output["terms"] for segment in heard.finals] == [(), ("Oslo",)]
    assert heard.finals[0].output["key"] == unchanged.finals[0].output["key"]


@pytest.mark.parametrize(("segmentation", "at"), [("chunks", 0.11), ("whole", 0.2)])
def test_without_a_vad_the_open_segment_keeps_its_settings(
    segmentation: Segmentation, at: float
) -> None:
    terms = Configure(keyterms=("Oslo",))
    sent = bytes(SECOND)
    first, rest = sent[: int(0.2 * SECOND)], sent[int(0.2 * SECOND) :]
    heard = hear(S16, [first, terms, rest, None, rest], segmentation=segmentation)
    [configured] = heard.configured
    assert configured.time == 0.2
    for segment in heard.channels[0].finals:
        assert segment.output["terms"] == (("Oslo",) if segment.start_time >= 0.2 else ())
    assert any(s.start_time < 0.2 < s.end_time for s in heard.channels[0].finals)


def test_what_is_cleared_has_no_result_and_is_dropped() -> None:
    sound = burst(S16, 0.1, 0.5)
    heard = hear(S16, [sound, "clear", sound, None])
    [channel] = heard.channels
    [account] = heard.stopped.seconds
    assert [type(event).__name__ for event in channel.all] == [
        *("Active", "Cleared", "Active", "Inactive", "Segment", "Flushed"),
    ]
    assert channel.cleared[0].time == 0.5
    [segment] = channel.finals
    assert segment.start_time >= 0.5
    assert account.dropped > 0.3
    assert account.transcribed == pytest.approx(segment.end_time - segment.start_time)


def test_a_segment_says_what_has_ended_it() -> None:
    long, short = burst(S16, 0.1, 1.4), burst(S16, 0.1, 0.5)
    [channel] = hear(S16, [long, bytes(SECOND), short, None, short]).channels
    assert [segment.ended_by for segment in channel.finals] == ["cut", "silence", "flush", "stop"]
    chunks = hear(S16, [bytes(8_000)], segmentation="chunks").channels[0].finals
    assert [segment.ended_by for segment in chunks] == ["cut", "cut", "stop"]


def test_settings_that_no_speech_can_have_any_more_are_not_kept() -> None:
    """A client may send them for hours, and each may have a hundred key terms."""
    kept: list[int] = []

    def fate(_key: str) -> Literal["transcribed"]:
        kept.append(sum(isinstance(each, ResultSettings) for each in gc.get_objects()))
        return "transcribed"

    many: list[Piece] = [Configure(keyterms=(f"term {number}",)) for number in range(300)]
    speech = burst(S16, 0.0, 0.6) + bytes(SECOND)
    hear(S16, [bytes(SECOND), *many, speech[:8_000], *many, speech[8_000:]], fate=fate)
    assert kept
    assert max(kept) < 20

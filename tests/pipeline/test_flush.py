"""A flush separates turns: nothing of a segment lies on both sides, and it is answered."""

from typing import Literal, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.observe.monitor import Meter, Monitor
from streamer.pipeline.context import Segmentation
from streamer.vad.engine import VadEngine
from streamer.vad.silero import SileroVad
from streamer.vad.webrtc import WebRtcVad
from streamer.weights.manifest import require
from tests.pipeline.played import (
    FORMATS,
    Heard,
    audio,
    burst,
    check_order,
    cut,
    encode,
    every_format,
    every_kind,
    hear,
    same,
    track,
)
from tools.harness.sounds import beckett

every_window = pytest.mark.parametrize("window", [320, 512])
Window = Literal[320, 512]
S16 = FORMATS["s16"]


def with_flushes(parts: list[bytes | None]) -> list[bytes | None]:
    """The parts, with a flush between each two."""
    return [piece for part in parts for piece in (part, None)][:-1]


@every_window
@every_kind
@every_format
@settings(max_examples=15)
@given(st.data())
def test_any_cut_with_flushes_anywhere(
    name: str, segmentation: Segmentation, window: Window, data: st.DataObject
) -> None:
    fmt = FORMATS[name]
    rate = data.draw(st.sampled_from([16_000, 8_000, 44_100]), "model's rate")
    slowness = data.draw(st.integers(0, 6), "pieces that a result takes")
    sent = audio(fmt, 3.6)
    flushes = data.draw(st.lists(st.integers(0, len(sent)), min_size=1, max_size=4), "flushes")
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=20), "cuts")
    parts = cut(sent, flushes)
    pieces = list[bytes | None]()
    for part in parts:
        assert part is not None
        pieces += [*cut(part, [place % (len(part) + 1) for place in places]), None]
    of = {"segmentation": segmentation, "rate": rate, "window": window}
    one = hear(fmt, with_flushes(parts), **of)  # type: ignore[arg-type]
    other = hear(fmt, pieces[:-1], **of, slowness=slowness)  # type: ignore[arg-type]
    same(one, other)
    clock = 16_000 if segmentation == "speech" else rate
    for channel in (*one.channels, *other.channels):
        check_order(channel.all, without_vad=segmentation != "speech")
        at = [place // fmt.bytes_per_frame / fmt.sample_rate for place in sorted(flushes)]
        assert [event.time for event in channel.flushed] == pytest.approx(at, abs=1 / clock)
        for segment in channel.finals:
            samples = one.given[str(segment.output["key"])]
            assert len(samples) > 0
            # A flush ends where the audio does: to the nearest sample on the detector's clock
            # and on the model's.
            asked = (segment.end_time - segment.start_time) * rate
            assert abs(len(samples) - asked) <= 1 + rate / 16_000


@every_window
@every_kind
@settings(max_examples=40)
@given(frames=st.integers(0, 57_600))
def test_what_follows_a_flush_is_as_in_a_new_stream(
    segmentation: Segmentation, window: Window, frames: int
) -> None:
    """To the sample, whatever was said before."""
    sent = audio(S16, 3.6)
    before, after = sent[: 2 * frames], sent[2 * frames :]
    whole = hear(S16, [before, None, after], segmentation=segmentation, window=window)
    alone = hear(S16, [after], segmentation=segmentation, window=window)
    assert [
        (round(segment.start_time * 16_000) - frames, segment.output)
        for segment in whole.channels[0].finals
        if round(segment.start_time * 16_000) >= frames
    ] == [
        (round(segment.start_time * 16_000), segment.output) for segment in alone.channels[0].finals
    ]


@every_window
@every_kind
@settings(max_examples=40)
@given(frames=st.integers(0, 57_600))
def test_a_flush_ends_as_the_end_of_the_stream_does(
    segmentation: Segmentation, window: Window, frames: int
) -> None:
    """The last window that is not full counts, and speech that is too short is dropped."""
    sent = audio(S16, 3.6)[: 2 * frames]
    flushed = hear(S16, [sent, None], segmentation=segmentation, window=window)
    stopped = hear(S16, [sent], segmentation=segmentation, window=window)
    assert spans(flushed) == spans(stopped)
    assert flushed.channels[0].vad == stopped.channels[0].vad


def spans(heard: Heard) -> list[tuple[float, float, object]]:
    return [(s.start_time, s.end_time, s.output) for s in heard.channels[0].finals]


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_the_window_that_is_not_full_counts_at_a_flush(name: str) -> None:
    """Without it, there is one window of speech too few."""
    fmt = FORMATS[name]
    heard = hear(fmt, [burst(fmt, 0.512, 0.564), None, burst(fmt, 0.5, 0.5)])
    [segment] = heard.channels[0].finals
    assert (segment.end_time, segment.flushed) == (0.564, True)


def test_speech_too_short_to_be_confirmed_is_not_carried_over() -> None:
    """32 ms of speech on each side of a flush are no speech of 40 ms, which is the minimum."""
    sound = burst(S16, 0.096, 0.16)
    at = round(0.128 * 16_000) * 2
    [alone] = hear(S16, [sound]).channels
    [apart] = hear(S16, [sound[:at], None, sound[at:]]).channels
    assert len(alone.finals) == 1
    assert not apart.finals


@every_window
@pytest.mark.parametrize("name", ["s16", "browser"])
def test_the_detector_begins_anew_after_a_flush(name: str, window: Window) -> None:
    """Each turn fills windows of its own, and meets a detector that has heard nothing."""
    fmt = FORMATS[name]
    whole, at = audio(fmt, 0.9), fmt.bytes_per_second // 3
    turns = hear(fmt, [whole[:at], None, whole[at:]], window=window).windows
    assert len(turns) == 2
    resampled = track(fmt, whole, 0, 16_000)
    split = round(at / fmt.bytes_per_second * 16_000)
    for windows, samples in zip(turns, (resampled[:split], resampled[split:]), strict=True):
        padded = np.concatenate([samples, np.zeros(-len(samples) % window, np.float32)])
        heard = np.concatenate(windows)
        assert len(heard) == len(padded)
        # What is filtered as if silence followed differs, at the end of the first turn.
        assert np.allclose(heard[:-1_000], padded[:-1_000], atol=1e-4)


@every_window
@every_format
@settings(max_examples=15)
@given(st.lists(st.floats(0.1, 0.5), min_size=1, max_size=5), st.sampled_from([8_000, 44_100]))
def test_flushes_in_speech_without_a_pause_lose_no_sample_of_it(
    name: str, window: Window, turns: list[float], rate: int
) -> None:
    """Though the detector's clock and the model's round the moment of a flush differently."""
    fmt = FORMATS[name]
    loud = np.random.default_rng(3).uniform(-0.5, 0.5, (3 * fmt.sample_rate, fmt.channels))
    data = encode(loud.reshape(-1), fmt)
    places = [int(t * fmt.sample_rate) * fmt.bytes_per_frame for t in np.cumsum(turns)]
    heard = hear(fmt, with_flushes(cut(data, places)), window=window, rate=rate)
    for number, channel in enumerate(heard.channels):
        given_ = [heard.given[str(segment.output["key"])] for segment in channel.finals]
        assert sum(map(len, given_)) == len(track(fmt, data, number, rate))


@every_kind
@pytest.mark.parametrize("slowness", [0, 3])
def test_every_flush_is_answered_on_every_channel(
    segmentation: Segmentation, slowness: int
) -> None:
    """Also when nothing is open, at the very beginning, and twice in the same place."""
    fmt = FORMATS["studio"]
    sent = audio(fmt, 1.0)
    pieces: list[bytes | None] = [None, sent, None, None, sent, None]
    heard = hear(fmt, pieces, segmentation=segmentation, slowness=slowness)
    for channel in heard.channels:
        assert [event.time for event in channel.flushed] == [0.0, 1.0, 1.0, 2.0]
        check_order(channel.all, without_vad=segmentation != "speech")
        assert channel.all[-1] == channel.flushed[-1], "after the last result"


def test_events_of_later_audio_wait_for_the_answer() -> None:
    """While results are late, also `active` and `inactive`, which wait for no results else."""
    sound = burst(S16, 0.1, 0.3) + bytes(6_400)
    [channel] = hear(S16, [sound, None, sound, sound, None, sound], slowness=100).channels
    kinds = [type(event).__name__ for event in channel.all]
    before = kinds.index("Flushed")
    assert kinds[:before] == ["Active", "Inactive", "Segment"]
    assert kinds.count("Flushed") == 2
    check_order(channel.all)


def real_engine(name: str) -> VadEngine:
    meter = Meter(Monitor(), "vad")
    if name == "webrtc":
        return cast("VadEngine", WebRtcVad(3, meter))
    [weights] = require("silero-vad").glob("*.onnx")
    return cast("VadEngine", SileroVad(weights, 0.0, meter))


@pytest.mark.parametrize("name", ["webrtc", "silero"])
def test_a_flush_within_a_sentence_with_a_real_detector(name: str) -> None:
    """Any cut gives the same, and the rest of the sentence is found at once."""
    data = beckett().part(0, 3)
    at = 2 * round(0.8 * 16_000) + 2  # in `Ever tried.`, from 0.35 to 1.2 s
    parts = [data[:at], data[at:]]
    whole = hear(S16, with_flushes([*parts]), engine=real_engine(name))
    small = list[bytes | None]()
    for part in parts:
        small += [*cut(part, list(range(999, len(part), 999))), None]
    same(whole, hear(S16, small[:-1], engine=real_engine(name)))
    [channel] = whole.channels
    check_order(channel.all)
    first, second = channel.finals[:2]
    assert first.flushed
    assert first.end_time == at / 32_000 == channel.flushed[0].time
    assert second.start_time == first.end_time


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_a_flush_ends_a_chunk_early_and_says_so(name: str) -> None:
    fmt = FORMATS[name]
    data, early = audio(fmt, 0.5), fmt.bytes_per_second // 5
    [channel] = hear(fmt, [data[:early], None, None, data[early:]], segmentation="chunks").channels
    spans = [(s.start_time, s.end_time, s.flushed) for s in channel.finals]
    assert spans == [
        (0.0, 0.11, False),
        (0.11, 0.2, True),
        (0.2, 0.31, False),
        (0.31, 0.42, False),
        (0.42, 0.5, False),
    ]


def test_a_flush_has_nothing_to_end_when_the_chunk_is_full() -> None:
    fmt = FORMATS["s16"]
    [channel] = hear(fmt, [audio(fmt, 0.22), None], segmentation="chunks").channels
    assert [(s.end_time, s.flushed) for s in channel.finals] == [(0.11, False), (0.22, False)]


def test_a_flush_ends_a_whole_and_begins_another() -> None:
    fmt = FORMATS["browser"]
    data, early = audio(fmt, 0.5), fmt.bytes_per_second // 5
    [channel] = hear(fmt, [data[:early], None, None, data[early:]], segmentation="whole").channels
    spans = [(s.start_time, s.end_time, s.flushed) for s in channel.finals]
    assert spans == [(0.0, 0.2, True), (0.2, 0.5, False)]


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_a_flush_hears_what_the_resampler_still_holds(name: str) -> None:
    """Without it, there is one window of speech too few."""
    fmt = FORMATS[name]
    heard = hear(fmt, [burst(fmt, 0.512, 0.576), None, burst(fmt, 0.5, 0.5)])
    [segment] = heard.channels[0].finals
    assert (segment.end_time, segment.flushed) == (0.576, True)

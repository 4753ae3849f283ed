"""The cut of the bytes never matters: a whole stream, with only the networks replaced."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.pipeline.context import Segmentation
from streamer.pipeline.segmenter_config import segmenter_settings
from streamer.protocol.events import Interim, Segment
from streamer.vad.segmenter_settings import SegmenterSettings
from tests.pipeline.played import (
    FORMATS,
    Loudness,
    audio,
    burst,
    check_order,
    cut,
    encode,
    every_format,
    every_kind,
    every_rate,
    hear,
    same,
    track,
)


@every_format
def test_the_audio_of_these_tests_has_everything(name: str) -> None:
    """Two ends of speech, forced cuts, and an end of the stream within speech."""
    fmt = FORMATS[name]
    for channel in hear(fmt, [audio(fmt, 3.6)]).channels:
        assert len(channel.finals) >= 5
        joined = [a.end_time == b.start_time for a, b in pairwise(channel.finals)]
        assert True in joined
        assert False in joined
        assert channel.finals[-1].end_time == pytest.approx(3.6, abs=1e-3)


def test_the_settings_reach_the_segmenter_in_samples() -> None:
    vad = VadConfig(
        threshold=0.3,
        min_silence_ms=90,
        min_speech_ms=40,
        prefix_padding_ms=45,
        suffix_padding_ms=35,
        max_segment_ms=1_000,
    )
    expected = SegmenterSettings(
        threshold=0.3,
        min_silence=1_440,
        min_speech=640,
        prefix_padding=720,
        suffix_padding=560,
        max_segment=16_000,
        sample_rate=16_000,
    )
    assert segmenter_settings(vad, None, 16_000) == expected
    interims = segmenter_settings(vad, InterimConfig(interval_ms=250, growth=0.3), 16_000)
    assert interims == replace(expected, interim_interval=4_000, interim_growth=0.3)
    # A suffix never reaches beyond the pause that ends a segment.
    long = msgspec.structs.replace(vad, suffix_padding_ms=91)
    assert segmenter_settings(long, None, 16_000) == replace(expected, suffix_padding=1_440)


def test_both_paddings_are_there() -> None:
    fmt = FORMATS["s16"]
    [channel] = hear(fmt, [audio(fmt, 0.6)]).channels
    active, inactive = channel.vad[:2]
    assert channel.finals[0].start_time == pytest.approx(active.time - 0.045)
    assert channel.finals[0].end_time == pytest.approx(inactive.time + 0.035)


@every_kind
@pytest.mark.parametrize(
    ("name", "seconds"), [("telephone", 1.2), ("s16", 0.6), ("studio", 0.35), ("odd", 0.35)]
)
def test_byte_by_byte(name: str, seconds: float, segmentation: Segmentation) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, seconds)
    whole = hear(fmt, [data], segmentation=segmentation)
    assert whole.stopped.segments >= fmt.channels
    single: list[bytes | None] = [bytes([byte]) for byte in data]
    same(whole, hear(fmt, single, segmentation=segmentation))


@every_kind
@every_format
@settings(max_examples=25)
@given(st.data())
def test_any_cut(name: str, segmentation: Segmentation, data: st.DataObject) -> None:
    fmt = FORMATS[name]
    rate = data.draw(st.sampled_from([16_000, 8_000, 44_100]))
    sent = audio(fmt, 3.6)
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=30))
    whole = hear(fmt, [sent], segmentation=segmentation, rate=rate)
    same(whole, hear(fmt, cut(sent, places), segmentation=segmentation, rate=rate))


@pytest.mark.parametrize("lead_s", [10.0, 0.03, 0.0])
@pytest.mark.parametrize("message_ms", [7, 20, 100])
@every_format
@every_rate
def test_to_wait_until_enough_has_come_delays_no_event(
    name: str, rate: int, message_ms: int, lead_s: float
) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, 5)
    message = fmt.sample_rate * message_ms // 1000 * fmt.bytes_per_frame + 1
    pieces = cut(data, list(range(message, len(data), message)))
    pieces[len(pieces) // 2 : len(pieces) // 2] = [None]
    at_once = hear(fmt, pieces, rate=rate)
    alone = hear(fmt, pieces, rate=rate, patient="alone", lead_s=lead_s)
    in_company = hear(fmt, pieces, rate=rate, patient="in company", lead_s=lead_s)
    for patient in (alone, in_company):
        same(patient, at_once)
        assert patient.moments == at_once.moments
    assert message_ms > 20 or alone.turns <= in_company.turns < at_once.turns


@every_rate
@every_format
def test_a_segment_is_the_audio_between_its_times(name: str, rate: int) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, 3.6)
    heard = hear(fmt, [data], rate=rate)
    for number, channel in enumerate(heard.channels):
        whole = track(fmt, data, number, rate)
        assert channel.finals
        for segment in channel.finals:
            # On the detector's clock, exactly.
            assert segment.start_time == round(segment.start_time * 16_000) / 16_000
            first, last = round(segment.start_time * rate), round(segment.end_time * rate)
            expected = whole[first:last]
            assert np.array_equal(heard.given[str(segment.output["key"])], expected)


@every_rate
@every_format
def test_chunks_hold_every_sample_once(name: str, rate: int) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, 1.6)
    heard = hear(fmt, [data], segmentation="chunks", rate=rate)
    for number, channel in enumerate(heard.channels):
        assert not channel.vad
        *most, last = [heard.given[str(segment.output["key"])] for segment in channel.finals]
        assert {len(chunk) for chunk in most} == {round(0.11 * rate)}
        assert 0 < len(last) <= round(0.11 * rate)
        assert np.array_equal(np.concatenate([*most, last]), track(fmt, data, number, rate))
        ends = np.cumsum([0, *(len(chunk) for chunk in [*most, last])]) / rate
        assert [segment.start_time for segment in channel.finals] == ends[:-1].tolist()
        assert [segment.end_time for segment in channel.finals] == ends[1:].tolist()


@pytest.mark.parametrize(("seconds", "chunks"), [(0.0, []), (0.11, [0.11]), (0.22, [0.11, 0.22])])
def test_no_chunk_is_empty(seconds: float, chunks: list[float]) -> None:
    fmt = FORMATS["s16"]
    heard = hear(fmt, [audio(fmt, seconds)], segmentation="chunks")
    assert [segment.end_time for segment in heard.channels[0].finals] == chunks
    assert (heard.stopped.audio_seconds, heard.stopped.segments) == (seconds, len(chunks))


@every_rate
@every_format
def test_a_whole_is_one_segment_of_every_sample(name: str, rate: int) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, 1.6)
    heard = hear(fmt, cut(data, [0, 7_001, 20_000]), segmentation="whole", rate=rate)
    assert heard.stopped.segments == fmt.channels
    for number, channel in enumerate(heard.channels):
        whole = track(fmt, data, number, rate)
        [event] = channel.all
        assert isinstance(event, Segment)
        span = (event.start_time, event.end_time, event.flushed)
        assert span == (0.0, len(whole) / rate, False)
        assert np.array_equal(heard.given[str(event.output["key"])], whole)


def test_a_whole_is_begun_at_the_end_of_the_stream_however_long_that_takes() -> None:
    fmt = FORMATS["s16"]
    data = audio(fmt, 4.0) * 20  # 80 s: more than a segment of speech may have
    heard = hear(fmt, cut(data, list(range(0, len(data), 32_000))), segmentation="whole")
    [segment] = heard.channels[0].finals
    assert (segment.start_time, segment.end_time) == (0.0, 80.0)
    assert len(heard.given) == 1, "and nothing was begun before"
    assert not heard.begun_early


def test_a_whole_of_nothing_is_no_segment() -> None:
    heard = hear(FORMATS["s16"], [b"", None], segmentation="whole")
    assert not heard.channels[0].finals
    assert (heard.stopped.audio_seconds, heard.stopped.segments) == (0.0, 0)


def test_a_whole_is_resampled_while_it_comes() -> None:
    """In pieces of a tenth of a second: at the end there would be much to do at once."""
    fmt = FORMATS["browser"]
    data = audio(fmt, 2.0)
    message = fmt.bytes_per_second // 50
    pieces = cut(data, list(range(message, len(data), message)))
    patient = hear(fmt, pieces, segmentation="whole", patient="alone")
    same(patient, hear(fmt, pieces, segmentation="whole"))
    assert patient.turns == 20


@pytest.mark.parametrize("step", [320, 3_200, 10**6])
def test_the_order_of_a_channels_events(step: int) -> None:
    fmt = FORMATS["studio"]
    data = audio(fmt, 3.6)
    for channel in hear(fmt, cut(data, list(range(0, len(data), step)))).channels:
        check_order(channel.all)


@pytest.mark.parametrize(("piece_ms", "begun"), [(20, 2), (1_000, 0)])
def test_a_pause_that_is_known_to_be_over_begins_nothing(piece_ms: int, begun: int) -> None:
    fmt, rng = FORMATS["s16"], np.random.default_rng(5)
    loudness = np.repeat([0.5, 0.001, 0.5, 0.001], [4_800, 1_200, 4_800, 3_200])
    data = encode(rng.uniform(-1, 1, len(loudness)) * loudness, fmt)
    heard = hear(fmt, cut(data, list(range(32 * piece_ms, len(data), 32 * piece_ms))))
    assert len(heard.channels[0].finals) == 1
    assert heard.begun_early == begun


@every_rate
def test_an_interim_is_its_segment_so_far(rate: int) -> None:
    fmt = FORMATS["s16"]
    data = audio(fmt, 3.6)
    pieces = cut(data, list(range(0, len(data), 640)))
    heard = hear(fmt, pieces, rate=rate, interims=True)
    [channel], whole = heard.channels, track(fmt, data, 0, rate)
    check_order(channel.all)
    spans = [(segment.start_time, segment.end_time) for segment in channel.finals]
    found = [event for event in channel.all if isinstance(event, Interim)]
    assert found
    for event in found:
        assert any(a == event.start_time and event.end_time <= b for a, b in spans)
        # Though one resampler holds back more than the other: every sample is there.
        expected = whole[round(event.start_time * rate) : round(event.end_time * rate)]
        assert np.array_equal(heard.given[str(event.output["key"])], expected)


@every_format
def test_the_detector_hears_everything_once_and_then_silence(name: str) -> None:
    fmt = FORMATS[name]
    data = audio(fmt, 1.57)  # not a whole number of windows
    for number, windows in enumerate(hear(fmt, cut(data, [5_000, 9_001])).windows):
        whole = track(fmt, data, number, 16_000)
        rest = np.zeros(-len(whole) % 512, np.float32)
        assert np.array_equal(np.concatenate(windows), np.concatenate([whole, rest]))


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_the_last_window_counts_though_it_is_not_full(name: str) -> None:
    fmt = FORMATS[name]
    [segment] = hear(fmt, [burst(fmt, 0.512, 0.564)]).channels[0].finals
    assert (segment.end_time, segment.flushed) == (0.564, False)


def test_the_fakes_are_what_the_stream_wants() -> None:
    """They are cast, so mypy does not look."""
    detector: Awaitable[list[float]] = Loudness().detect(np.zeros((1, 512), np.float32))
    assert asyncio.run(asyncio.wait_for(detector, 1)) == [0.0]

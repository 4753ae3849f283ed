"""The cut of the bytes never matters: a whole stream, with only the networks replaced.

The detector hears loudness, and the pool answers with a hash of the samples it was given. All
between is real: decoder, resamplers, segmenter, channels, delivery.
"""

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple, cast

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.audio.format import AudioFormat
from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Resampler
from streamer.config.schema import Config, InterimConfig, SimpleConfig, VadConfig
from streamer.inference.job import Counters, Inferred, JobKind, PendingInference, SegmentAudio
from streamer.inference.pool import WorkerPool
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.context import Segmentation, StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.speech_channel import segmenter_settings
from streamer.pipeline.stream import Stream
from streamer.protocol.actions import Close
from streamer.protocol.messages import (
    Active,
    Event,
    Inactive,
    Interim,
    Segment,
    Start,
    Stopped,
    VadOptions,
)
from streamer.vad.engine import VadEngine
from streamer.vad.segmenter import SegmenterSettings

Samples = NDArray[np.float32]


class Loudness:
    """A detector with state: the probability is the loudness of this window and the last."""

    def __init__(self) -> None:
        self.windows: list[Samples] = []
        self._last = 0.0

    async def detect(self, windows: Samples) -> list[float]:
        await asyncio.sleep(0)
        found = []
        for window in windows:
            self.windows.append(window.copy())
            level = float(np.abs(window).mean())
            found.append(min(1.0, 4 * (level + self._last / 4)))
            self._last = level
        return found


class LoudnessEngine:
    name, window, sample_rate = "loudness", 512, 16_000

    def __init__(self) -> None:
        self.opened: list[Loudness] = []

    def open(self) -> Loudness:
        self.opened.append(Loudness())
        return self.opened[-1]


class Submitted:
    """A job whose result is there already."""

    def __init__(self, inferred: Inferred) -> None:
        self.result: PendingInference = asyncio.get_running_loop().create_future()
        self.result.set_result(inferred)

    def confirm(self) -> bool:
        return False

    def withdraw(self) -> bool:
        return False


class Pool:
    """Answers at once, and keeps what it was given."""

    spec = ModelSpec(type="fake", name="fake")
    stateful = False

    def __init__(self) -> None:
        self.given: dict[str, Samples] = {}
        self.counters = Counters()
        self.begun_early = 0
        self.lead_s = 10.0
        self.queue = self

    def submit(self, audio: SegmentAudio, kind: JobKind, **_of: object) -> Submitted:
        self.begun_early += kind == "early"
        samples = np.concatenate([*audio, np.empty(0, np.float32)])
        key = hashlib.sha256(samples.tobytes()).hexdigest()
        self.given[key] = samples
        return Submitted(Inferred({"key": key, "count": len(samples)}, None, 0.0))

    def lead_seconds(self, _media_s: float) -> float:
        return self.lead_s


class Outcome(NamedTuple):
    """A channel's events of both kinds; how the kinds interleave depends on time, not on audio."""

    vad: list[Active | Inactive]
    finals: list[Segment]
    all: list[Event]


class Heard(NamedTuple):
    channels: list[Outcome]
    stopped: Stopped
    given: dict[str, Samples]
    """What the model heard, by its hash."""
    windows: list[list[Samples]]
    """What the detector of each channel heard."""
    moments: list[tuple[int, Active | Inactive]]
    """After how many of the pieces each of these came."""
    turns: int
    """How often the stream was given something."""
    begun_early: int
    """Segments that were begun before they had ended."""


VAD = VadOptions(
    threshold=0.3, min_silence_ms=90, min_speech_ms=40, prefix_padding_ms=45, max_segment_ms=1_000
)
CONFIG = Config(vad=VadConfig(suffix_padding_ms=35), simple=SimpleConfig(chunk_seconds=0.11))


def hear(
    fmt: AudioFormat,
    pieces: list[bytes | None],
    *,
    segmentation: Segmentation = "speech",
    rate: int = 16_000,
    interims: bool = False,
    patient: Literal["no", "alone", "in company"] = "no",
    lead_s: float = 10.0,
) -> Heard:
    """Play `pieces`, where None is a flush, to a stream.

    Either each as it comes, or, as the inbox does, together as soon as they are what is wanted, or
    as soon as they would come along with others.
    """

    pool, vad, events = Pool(), LoudnessEngine(), list[Event]()
    moments: list[tuple[int, Active | Inactive]] = []
    pool.lead_s = lead_s
    played = turns = 0

    class Listener(Outbox):
        def post(self, item: Event | Close) -> None:
            assert not isinstance(item, Close)
            events.append(item)
            if isinstance(item, Active | Inactive):
                moments.append((played, item))

    async def play() -> Stopped:
        nonlocal played, turns
        context = StreamContext(
            session_id="id",
            route="segmented",
            segmentation=segmentation,
            config=CONFIG,
            vad=cast("VadEngine", vad),
            monitor=Monitor(),
            pool=cast("WorkerPool", pool),
            sample_rate=rate,
            outbox=Listener(Monitor()),
            trace=StreamTrace("0" * 32),
        )
        start = Start(format=fmt, vad=VAD, interim_results=interims)
        async with asyncio.TaskGroup() as tasks:
            stream = Stream(context, start, tasks)
            waiting = b""
            for piece in pieces:
                played += 1
                waiting += piece or b""
                least = stream.needed_bytes
                if patient == "in company":
                    least = stream.joinable_bytes(least) or least
                if patient == "no" or piece is None or len(waiting) >= least:
                    turns += 1
                    await stream.feed(waiting, 0)
                    waiting = b""
                if piece is None:
                    await stream.flush(0)
            await stream.feed(waiting, 0)
            stopped = await stream.finish(0)
            stream.close(stopped)
            return stopped

    stopped = asyncio.run(play())
    channels = [outcome(events, n) for n in range(fmt.channels)]
    windows = [detector.windows for detector in vad.opened]
    return Heard(channels, stopped, pool.given, windows, moments, turns, pool.begun_early)


def outcome(events: list[Event], channel: int) -> Outcome:
    own = [event for event in events if getattr(event, "channel", None) == channel]
    return Outcome(
        [event for event in own if isinstance(event, Active | Inactive)],
        [event for event in own if isinstance(event, Segment)],
        own,
    )


def same(one: Heard, other: Heard) -> None:
    assert [(c.vad, c.finals) for c in one.channels] == [(c.vad, c.finals) for c in other.channels]
    assert one.stopped == other.stopped


FORMATS = {
    "telephone": AudioFormat(sample_rate=8_000, bit_depth=8, encoding="mulaw"),
    "s16": AudioFormat(sample_rate=16_000),
    "studio": AudioFormat(sample_rate=44_100, channels=2, bit_depth=24),
    "browser": AudioFormat(sample_rate=48_000, bit_depth=32, is_float=True),
    "odd": AudioFormat(sample_rate=11_025, channels=3, bit_depth=64, is_float=True),
}
every_format = pytest.mark.parametrize("name", FORMATS)
every_rate = pytest.mark.parametrize("rate", [16_000, 8_000, 44_100])
every_kind = pytest.mark.parametrize("segmentation", ["speech", "chunks", "whole"])


@cache
def audio(fmt: AudioFormat, seconds: float) -> bytes:
    """Bursts of noise, at other times on each channel; the second one is longest."""
    count = int(seconds * fmt.sample_rate)
    time = np.arange(count) / fmt.sample_rate
    rng = np.random.default_rng(11)
    frames = rng.uniform(-0.5, 0.5, (count, fmt.channels))
    for channel in range(fmt.channels):
        shift = 0.07 * channel
        speech = np.zeros(count, bool)
        for first, last in [(0.1, 0.28), (0.42, 2.6), (2.75, 2.9), (3.1, 4.0)]:
            speech |= (first + shift <= time) & (time < last + shift)
        frames[~speech, channel] *= 0.01
    return encode(frames.reshape(-1), fmt)


def encode(samples: NDArray[np.float64], fmt: AudioFormat) -> bytes:
    if fmt.encoding == "mulaw":
        magnitude = np.log1p(255 * np.abs(samples)) / np.log(256)
        code = np.minimum(magnitude * 128, 127).astype(np.uint8)
        code = np.where(samples < 0, code | 0x80, code).astype(np.uint8)
        return bytes(~code)
    if fmt.is_float:
        return samples.astype(f"<f{fmt.bit_depth // 8}").tobytes()
    values = np.round(samples * 2.0 ** (fmt.bit_depth - 1)).astype("<i4")
    if fmt.bit_depth == 24:
        return values.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    return values.astype(f"<i{fmt.bit_depth // 8}").tobytes()


def cut(data: bytes, places: list[int]) -> list[bytes | None]:
    edges = [0, *sorted(places), len(data)]
    return [data[first:last] for first, last in pairwise(edges)]


def track(fmt: AudioFormat, data: bytes, channel: int, rate: int) -> Samples:
    """The whole of a channel at `rate`, resampled at once."""
    resampler = Resampler(fmt.sample_rate, rate)
    row = PcmDecoder(fmt).decode(data)[channel]
    return np.concatenate([resampler.push(row), resampler.finish()])


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
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_cut(name: str, segmentation: Segmentation, data: st.DataObject) -> None:
    fmt = FORMATS[name]
    rate = data.draw(st.sampled_from([16_000, 8_000, 44_100]))
    sent = audio(fmt, 3.6)
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=30))
    whole = hear(fmt, [sent], segmentation=segmentation, rate=rate)
    same(whole, hear(fmt, cut(sent, places), segmentation=segmentation, rate=rate))


@every_kind
@every_format
@settings(deadline=None, max_examples=25)
@given(st.data())
def test_any_cut_with_flushes_in_fixed_places(
    name: str, segmentation: Segmentation, data: st.DataObject
) -> None:
    fmt = FORMATS[name]
    rate = data.draw(st.sampled_from([16_000, 8_000, 44_100]))
    sent = audio(fmt, 3.6)
    flushes = data.draw(st.lists(st.integers(0, len(sent)), min_size=1, max_size=4))
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=20))
    whole, pieces = list[bytes | None](), list[bytes | None]()
    for part in cut(sent, flushes):
        assert part is not None
        whole += [part, None]
        pieces += [*cut(part, [place % (len(part) + 1) for place in places]), None]
    one = hear(fmt, whole[:-1], segmentation=segmentation, rate=rate)
    same(one, hear(fmt, pieces[:-1], segmentation=segmentation, rate=rate))
    for channel in one.channels:
        if segmentation == "speech":
            check_order(channel.all)
        for segment in channel.finals:
            samples = one.given[str(segment.output["key"])]
            assert len(samples) > 0
            # A flush ends where the audio does: to the nearest sample on the detector's clock
            # and on the model's.
            asked = (segment.end_time - segment.start_time) * rate
            assert abs(len(samples) - asked) <= 1 + rate / 16_000


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


@pytest.mark.parametrize(("seconds", "chunks"), [(0.0, []), (0.11, [0.11]), (0.22, [0.11, 0.22])])
def test_no_chunk_is_empty(seconds: float, chunks: list[float]) -> None:
    fmt = FORMATS["s16"]
    heard = hear(fmt, [audio(fmt, seconds)], segmentation="chunks")
    assert [segment.end_time for segment in heard.channels[0].finals] == chunks
    assert heard.stopped == Stopped(audio_seconds=seconds, segments=len(chunks), session_id="id")


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


def test_a_flush_ends_a_whole_and_begins_another() -> None:
    fmt = FORMATS["browser"]
    data, early = audio(fmt, 0.5), fmt.bytes_per_second // 5
    [channel] = hear(fmt, [data[:early], None, None, data[early:]], segmentation="whole").channels
    spans = [(s.start_time, s.end_time, s.flushed) for s in channel.finals]
    assert spans == [(0.0, 0.2, True), (0.2, 0.5, False)]


def test_a_whole_of_nothing_is_no_segment() -> None:
    heard = hear(FORMATS["s16"], [b"", None], segmentation="whole")
    assert not heard.channels[0].all
    assert heard.stopped == Stopped(audio_seconds=0.0, segments=0, session_id="id")


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


def burst(fmt: AudioFormat, first: float, last: float) -> bytes:
    """Mono: silence, then noise from `first` to `last` seconds."""
    samples = np.random.default_rng(2).uniform(-0.5, 0.5, round(last * fmt.sample_rate))
    samples[: round(first * fmt.sample_rate)] = 0
    return encode(samples, fmt)


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_a_flush_hears_what_the_resampler_still_holds(name: str) -> None:
    """Without it, there is one window of speech too few."""
    fmt = FORMATS[name]
    heard = hear(fmt, [burst(fmt, 0.512, 0.576), None, burst(fmt, 0.5, 0.5)])
    [segment] = heard.channels[0].finals
    assert (segment.end_time, segment.flushed) == (0.576, True)


@pytest.mark.parametrize("name", ["telephone", "s16", "browser"])
def test_the_last_window_counts_though_it_is_not_full(name: str) -> None:
    fmt = FORMATS[name]
    [segment] = hear(fmt, [burst(fmt, 0.512, 0.564)]).channels[0].finals
    assert (segment.end_time, segment.flushed) == (0.564, False)


def check_order(events: list[Event]) -> None:
    """Active, inactive, segment; and the segment's span holds both times."""
    begun, ended = list[float](), list[float]()
    last_end = 0.0
    for event in events:
        match event:
            case Active(time=time):
                assert len(begun) == len(ended)
                begun.append(time)
            case Inactive(time=time):
                assert len(begun) == len(ended) + 1
                ended.append(time)
            case Interim():
                assert len(begun) == len(ended) + 1, "an interim outside speech"
            case Segment():
                assert last_end <= event.start_time <= begun.pop(0)
                assert ended.pop(0) <= event.end_time
                last_end = event.end_time
    assert not begun
    assert not ended


def test_the_fakes_are_what_the_stream_wants() -> None:
    """They are cast, so mypy does not look."""
    detector: Awaitable[list[float]] = Loudness().detect(np.zeros((1, 512), np.float32))
    assert asyncio.run(asyncio.wait_for(detector, 1)) == [0.0]

"""Where each second went: the sums close, whatever comes, and however it comes."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline.account import SUMS, Account, Fate, SpeechAccount
from streamer.pipeline.context import Segmentation
from streamer.pipeline.loudness import LoudWindows
from streamer.protocol.events import ChannelSeconds
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import SegmentEnded, SegmenterEvent, SpeechDropped, SpeechStarted
from streamer.vad.segmenter_settings import SegmenterSettings
from tests.pipeline.played import (
    FORMATS,
    audio,
    burst,
    cut,
    encode,
    every_format,
    every_kind,
    hear,
    same,
)
from tools.harness.sounds import recording

S16 = FORMATS["s16"]
FATES: tuple[Fate, ...] = ("transcribed", "failed", "dropped")


def samples_of(seconds: ChannelSeconds, rate: int) -> Account:
    """The sums in samples: each is a whole number of them, to the last bit."""
    account = Account()
    for name in SUMS:
        value = getattr(seconds, name)
        setattr(account, name, round(value * rate))
        assert getattr(account, name) / rate == value
    return account


def fate_of(seed: int) -> Callable[[str], Fate]:
    """The fate of a segment, by the hash of its samples."""
    return lambda key: FATES[(int(key[:8], 16) + seed) % 3]


@every_kind
@every_format
@pytest.mark.parametrize("window", [320, 512])
@settings(max_examples=12)
@given(st.data())
def test_the_sums_close(
    name: str, segmentation: Segmentation, window: Literal[320, 512], data: st.DataObject
) -> None:
    fmt = FORMATS[name]
    rate = data.draw(st.sampled_from([16_000, 8_000, 44_100]), "model's rate")
    sent = audio(fmt, 3.6)
    sent = sent[: data.draw(st.integers(0, len(sent)), "length")]
    flushes = data.draw(st.lists(st.integers(0, len(sent)), max_size=4), "flushes")
    places = data.draw(st.lists(st.integers(0, len(sent)), max_size=20), "cuts")
    fate = fate_of(data.draw(st.integers(0, 2), "fates"))
    whole, pieces = list[bytes | None](), list[bytes | None]()
    for part in cut(sent, flushes):
        assert part is not None
        whole += [part, None]
        pieces += [*cut(part, [place % (len(part) + 1) for place in places]), None]
    of = {"segmentation": segmentation, "rate": rate, "window": window, "fate": fate}
    one = hear(fmt, whole[:-1], **of)  # type: ignore[arg-type]
    same(one, hear(fmt, pieces[:-1], **of, slowness=3))  # type: ignore[arg-type]
    sums = [samples_of(seconds, fmt.sample_rate) for seconds in one.stopped.seconds]
    assert [seconds.channel for seconds in one.stopped.seconds] == [*range(fmt.channels)]
    for account, channel in zip(sums, one.channels, strict=True):
        assert account.received == len(sent) // fmt.bytes_per_frame
        in_segments = account.transcribed + account.failed + account.dropped
        assert 0 <= in_segments + account.loud_unheard <= account.received
        failed = sum((e.end_time or 0) - (e.start_time or 0) for e in channel.failed)
        slack = 2.0 * (1 + len(channel.finals) + len(channel.failed)) * (1 + len(flushes))
        assert account.failed == pytest.approx(failed * fmt.sample_rate, abs=slack)
        if segmentation == "speech":
            times = [event.time for event in channel.vad]
            speech = sum(times[1::2]) - sum(times[::2])
            assert account.speech == pytest.approx(speech * fmt.sample_rate, abs=slack)
            assert account.speech <= in_segments
        else:
            # After a flush, less than a sample of the model's may be left over, or is all there is.
            left = fmt.sample_rate / min(rate, fmt.sample_rate)
            may_be_left = bool(flushes) or not in_segments
            assert account.received - in_segments <= left * may_be_left
            assert (account.speech, account.loud_unheard) == (0, 0)
    for entry in SUMS:
        total = sum(getattr(account, entry) for account in sums)
        assert one.accounted[entry] == pytest.approx(total / fmt.sample_rate)
    assert "abandoned" not in one.accounted


@pytest.mark.parametrize("fate", FATES)
def test_the_sums_are_those_of_the_events(fate: Fate) -> None:
    """At equal rates, to the sample."""
    heard = hear(S16, [audio(S16, 3.6)], fate=lambda _: fate)
    [account] = [samples_of(seconds, 16_000) for seconds in heard.stopped.seconds]
    [channel] = heard.channels
    ends = [(e.start_time, e.end_time) for e in channel.finals]
    ends += [(e.start_time or 0, e.end_time or 0) for e in channel.failed]
    spans = sum(round(16_000 * (end - start)) for start, end in ends)
    assert {name: getattr(account, name) for name in FATES} == dict.fromkeys(FATES, 0) | {
        fate: spans
    }
    times = [round(16_000 * event.time) for event in channel.vad]
    assert account.speech == sum(times[1::2]) - sum(times[::2])
    assert account.received == round(3.6 * 16_000)


def test_speech_that_is_too_short_is_dropped_and_counted_once() -> None:
    """Of a window of 20 ms from 0.1 s on, the padding of the next segment takes the last 5 ms."""
    sound = burst(S16, 0.1, 0.11) + bytes(2 * 800) + burst(S16, 0, 0.2) + bytes(8_000)
    heard = hear(S16, [sound], window=320)
    [account] = [samples_of(seconds, 16_000) for seconds in heard.stopped.seconds]
    [segment] = heard.channels[0].finals
    assert segment.start_time == 0.115
    assert account.transcribed == round(16_000 * (segment.end_time - segment.start_time))
    assert account.dropped == round(0.015 * 16_000)


@pytest.mark.parametrize("end", ["flush", "stop"])
def test_speech_that_an_end_cuts_short_is_dropped(end: str) -> None:
    sound = burst(S16, 0.096, 0.128)
    heard = hear(S16, [sound, None, bytes(32_000)] if end == "flush" else [sound])
    [account] = [samples_of(seconds, 16_000) for seconds in heard.stopped.seconds]
    assert (account.dropped, account.transcribed, account.loud_unheard) == (512, 0, 0)


def quiet_speech(seconds: float, level: float) -> bytes:
    """Steady noise, and in each second 400 ms that are louder, but too quiet for the detector."""
    rng = np.random.default_rng(8)
    samples = rng.normal(0, 0.0003, round(16_000 * seconds))
    louder = np.arange(len(samples)) % 16_000 < 6_400
    return encode(np.where(louder, level / 0.0003, 1) * samples, S16)


@pytest.mark.parametrize("flushes", [False, True])
def test_what_is_loud_and_not_taken_for_speech_is_counted(flushes: bool) -> None:
    sound = quiet_speech(25, 0.004)
    pieces: list[bytes | None] = [sound]
    if flushes:
        pieces = [sound[:100_001], None, sound[100_001:]]
    heard = hear(S16, pieces)
    assert not heard.channels[0].finals
    [seconds] = heard.stopped.seconds
    assert seconds.loud_unheard == pytest.approx(10, abs=1)
    assert seconds.transcribed == seconds.dropped == 0


def test_steady_noise_is_not_loud_and_neither_is_what_is_in_a_segment() -> None:
    [noise] = hear(S16, [quiet_speech(25, 0.0003)]).stopped.seconds
    assert noise.loud_unheard == 0
    sentence = burst(S16, 0.5, 2.5) + bytes(32_000)
    heard = hear(S16, [sentence * 8])
    [seconds] = heard.stopped.seconds
    assert seconds.transcribed > 16
    assert seconds.loud_unheard == 0


def test_a_broken_stream_abandons_what_is_pending() -> None:
    heard = hear(S16, [burst(S16, 0.1, 0.5) + bytes(16_000)], slowness=100, broken_off=True)
    assert heard.accounted["received"] == 1
    assert heard.accounted["abandoned"] == pytest.approx(0.46, abs=0.1)
    assert not heard.accounted["transcribed"]


# --- The parts ---


@st.composite
def level_lists(draw: st.DrawFn) -> list[float]:
    runs = draw(st.lists(st.tuples(st.floats(1e-6, 0.5), st.integers(1, 400)), max_size=8))
    return [level for level, count in runs for _ in range(count)]


@settings(max_examples=60)
@given(level_lists(), st.lists(st.integers(1, 40), min_size=1), st.sampled_from([320, 512]))
def test_how_windows_are_grouped_does_not_matter(
    levels: list[float], groups: list[int], window: int
) -> None:
    rng = np.random.default_rng(4)
    samples = (rng.normal(size=len(levels) * window) * np.repeat(levels, window)).astype("f4")
    at_once, grouped = LoudWindows(window, 16_000), LoudWindows(window, 16_000)
    at_once.push(samples)
    runs, at = list[tuple[int, int]](), 0
    for turn in range(len(levels)):
        size = groups[turn % len(groups)] * window
        grouped.push(samples[at : at + size])
        at = min(at + size, len(samples))
        if turn % 3 == 0:
            runs += grouped.judge(at)
    runs += grouped.judge(at, all_of_it=True)
    assert runs == at_once.judge(len(samples), all_of_it=True)


def loud_share(samples: np.ndarray, window: int = 512) -> float:
    judge = LoudWindows(window, 16_000)
    judge.push(samples.astype(np.float32))
    runs = judge.judge(len(samples), all_of_it=True)
    return sum(last - first for first, last in runs) / len(samples)


@pytest.mark.parametrize("level", [0.1, 1e-3, 2e-4, 0.0])
@pytest.mark.parametrize("offset", [0.0, 0.2])
def test_steady_noise_is_never_loud(level: float, offset: float) -> None:
    rng = np.random.default_rng(6)
    assert loud_share(offset + level * rng.normal(size=33 * 16_000)) == 0


@pytest.mark.parametrize(("quieter_db", "offset"), [(0, 0), (20, 0), (40, 0), (0, 0.1)])
def test_quiet_speech_is_loud_if_it_stands_out(quieter_db: int, offset: float) -> None:
    """In a real recording, also when the sound card adds an offset."""
    samples, _ = recording("beckett.wav")
    samples = samples + offset
    quieter = np.round(samples * 10 ** (-quieter_db / 20) * 32_768) / 32_768
    assert 0.3 < loud_share(quieter) < 0.7, "4.5 s of 10 s are speech"


def test_mains_hum_is_not_loud_and_neither_is_rain() -> None:
    rng = np.random.default_rng(6)
    time = np.arange(30 * 16_000) / 16_000
    hum = 0.01 * np.sin(100 * np.pi * time) + 0.003 * np.sin(300 * np.pi * time)
    assert loud_share(hum + 1e-4 * rng.normal(size=len(time))) == 0
    drops = rng.random(len(time)) < 0.1
    assert loud_share(0.1 * drops * rng.normal(size=len(time))) == 0


def test_a_fan_that_is_switched_on_is_loud_for_ten_seconds_at_most() -> None:
    rng = np.random.default_rng(6)
    level = np.where(np.arange(60 * 16_000) < 33 * 16_000, 1e-3, 1e-1)
    assert 0 < loud_share(level * rng.normal(size=len(level))) <= 10 / 60


def test_nothing_is_loud_below_the_least_level() -> None:
    """Dither in digital silence is 20 dB above its floor, and nothing to hear."""
    rng = np.random.default_rng(6)
    level = np.where(np.arange(20 * 16_000) % 16_000 < 6_400, 5e-5, 1e-7)
    assert loud_share(level * rng.normal(size=len(level))) == 0


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.9]), st.integers(1, 12)), max_size=40),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sets(st.integers(0, 200), max_size=3),
)
def test_every_sample_is_in_one_place(
    runs: list[tuple[float, int]], prefix: int, min_speech: int, flushes: set[int]
) -> None:
    """The sums are those of samples that are painted one after another."""
    asked = SegmenterSettings(
        threshold=0.5, min_silence=30, min_speech=min_speech, prefix_padding=prefix,
        suffix_padding=10, max_segment=300, sample_rate=1000,
    )  # fmt: skip
    probabilities = [p for p, count in runs for _ in range(count)]
    levels = np.repeat([1.0 if i % 5 == 0 else 1e-3 for i in range(len(probabilities))], 10)
    samples = (np.random.default_rng(1).normal(size=len(levels)) * levels).astype(np.float32)
    tape = _Tape(samples)
    segmenter = Segmenter(asked, 10, tape)
    account = Account()
    books = SpeechAccount(account, LoudWindows(10, 1000), lambda at: at)
    painted = np.full(len(samples), "outside", dtype="U11")
    begun = 0

    def enter(events: list[SegmenterEvent]) -> None:
        nonlocal begun
        for event in events:
            match event:
                case SpeechStarted(at):
                    begun = at
                case SpeechDropped(start, end):
                    painted[start:end] = "too short"
                    books.speech_dropped(start, end)
                case SegmentEnded(at, start, end):
                    painted[start:end] = "segment"
                    books.segment(begun, at, start, end)

    for index, probability in enumerate(probabilities):
        if index in flushes:
            enter(list(segmenter.flush()))
            books.settle(segmenter.keep_from)
        books.windows(samples[tape.end : tape.end + 10])
        tape.end += 10
        enter(list(segmenter.advance(probability)))
        books.settle(segmenter.keep_from)
    enter(list(segmenter.finish()))
    books.settle(tape.end, over=True)
    assert account.dropped == np.count_nonzero(painted == "too short")
    judge = LoudWindows(10, 1000)
    judge.push(samples)
    loud = sum(
        np.count_nonzero(painted[first:last] == "outside")
        for first, last in judge.judge(len(samples), all_of_it=True)
    )
    assert account.loud_unheard == loud


class _Tape:
    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples
        self.end = 0

    def view(self, start: int, end: int) -> np.ndarray:
        return self.samples[start:end]

"""Probabilities in, segments out: pictures with exact samples, and what holds for any input.

In the pictures each character is a window of 10 samples: `#` is speech, `.` is silence, `-` is
between the two thresholds, `|` is a flush between two windows, and `x` discards what is open.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count, cycle, groupby, pairwise
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import (
    InterimDue,
    SegmentDiscarded,
    SegmentEnded,
    SegmenterEvent,
    SpeechDropped,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
)
from streamer.vad.segmenter_settings import HYSTERESIS, MIN_EXIT_THRESHOLD, SegmenterSettings

Found = SpeechStarted | InterimDue | SegmentEnded | SegmentDiscarded

WINDOW = 10
PROBABILITY = {"#": 0.9, "-": 0.4, ".": 0.1}
SETTINGS = SegmenterSettings(
    threshold=0.5,
    min_silence=30,
    min_speech=20,
    prefix_padding=20,
    suffix_padding=10,
    max_segment=300,
    sample_rate=1000,
)


class Tape:
    """The samples of a channel; to ask for one that was discarded is an error."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self.samples = samples
        self.end = 0
        self.discarded = 0

    def view(self, start: int, end: int) -> NDArray[np.float32]:
        assert self.discarded <= start <= end <= self.end
        return self.samples[start:end]


class Rig:
    """A segmenter, its samples, and a check of `keep_from` around each step."""

    def __init__(
        self,
        asked: SegmenterSettings,
        samples: NDArray[np.float32],
        window: int = WINDOW,
        lead: Callable[[int], int] | None = None,
        *,
        restless: bool = False,
    ) -> None:
        self.restless = restless
        """Whether `lead` gives now this answer and now another."""
        self.tape = Tape(samples)
        self.window = window
        self.segmenter = Segmenter(asked, window, self.tape, lead)
        self.heard = 0
        self.events: list[Found] = []
        self.paused: tuple[int, int] | None = None
        """The segment to come if the silence holds, as `SpeechPaused` said."""
        self.foreseen = 0
        """Segments that came as it said."""
        self.eventless_until = 0
        """What it has promised, unless there is a flush."""
        self.dropped: list[SpeechDropped] = []
        """Speech that was too short."""
        self.changes: list[tuple[int, SegmenterSettings]] = []
        """From where on which other settings were to count."""
        self.flushes: list[int] = []
        """Where the flushes were."""

    @property
    def in_speech(self) -> bool:
        """Whether a segment is open."""
        return bool(self.events) and isinstance(self.events[-1], SpeechStarted | InterimDue)

    def hear(self, probability: float, ahead: int = 0) -> None:
        """One window, with `ahead` more samples already there."""
        self.heard = min(self.heard + self.window, len(self.tape.samples))
        self.arrive(self.heard + ahead)
        self.eventless_until = max(self.eventless_until, self.segmenter.eventless_until)
        came = len(self.events)
        if self.step(lambda: self.segmenter.advance(probability)):
            # What the pause is asked for with may have changed, and a pause is no event of its own.
            assert self.heard >= self.eventless_until or (
                self.restless and came == len(self.events)
            )

    def arrive(self, end: int) -> None:
        self.tape.end = min(max(self.tape.end, end), len(self.tape.samples))

    def configure(self, asked: SegmenterSettings) -> None:
        """Other settings, which count for speech that begins at this sample or later."""
        assert self.segmenter.configure(asked) == self.heard
        self.eventless_until = 0
        self.changes.append((self.heard, asked))

    def flush(self, probability: float = 0.0, *, discards: bool = False) -> None:
        """A flush, after what has arrived of the next window; that is given a probability."""
        assert self.tape.end - self.heard < self.window
        if self.heard < self.tape.end:
            self.heard = self.tape.end
            self.step(lambda: self.segmenter.advance(probability))
        self.step(self.segmenter.discard if discards else self.segmenter.flush)
        self.flushes.append(self.heard)
        self.eventless_until = 0
        assert self.segmenter.keep_from == self.heard, "audio from before a flush is kept"

    def step(self, act: Callable[[], Iterable[SegmenterEvent]]) -> bool:
        """Whether anything came of it."""
        kept = self.segmenter.keep_from
        assert kept >= self.tape.discarded, "what was given up is wanted again"
        self.tape.discarded = kept
        found = list(act())
        for event in found:
            if isinstance(event, SpeechPaused | SpeechResumed):
                self.pause(event)
                continue
            if isinstance(event, SpeechDropped):
                self.drop(event)
                continue
            if not isinstance(event, SpeechStarted):
                assert event.start >= kept
            if isinstance(event, SegmentDiscarded):
                self.paused = None
            if isinstance(event, SegmentEnded):
                self.foreseen += self.paused == (event.start, event.end)
                self.paused = None
            self.events.append(event)
        return any(not isinstance(event, SpeechDropped) for event in found)

    def drop(self, event: SpeechDropped) -> None:
        """Speech that is too short is dropped once, after what is before it."""
        assert not self.in_speech
        assert event.start < event.end <= self.heard
        assert not self.dropped or self.dropped[-1].end <= event.start
        self.dropped.append(event)

    def pause(self, event: SpeechPaused | SpeechResumed) -> None:
        """Pauses and resumptions alternate, and come in an open segment only."""
        assert self.in_speech
        assert (self.paused is None) == isinstance(event, SpeechPaused)
        self.paused = None
        if isinstance(event, SpeechPaused):
            assert event.end <= self.tape.end
            self.paused = (event.start, event.end)


def run(
    picture: str, asked: SegmenterSettings, samples: NDArray[np.float32] | None = None
) -> list[str]:
    """The events of a picture, one line each."""
    return [line(event) for event in rig_of(picture, asked, samples).events]


def rig_of(
    picture: str,
    asked: SegmenterSettings,
    samples: NDArray[np.float32] | None = None,
    later: Mapping[str, SegmenterSettings] = MappingProxyType({}),
) -> Rig:
    windows = [char for char in picture if char in PROBABILITY]
    if samples is None:
        samples = np.repeat([float(w == "#") for w in windows], WINDOW).astype(np.float32)
    rig = Rig(asked, samples)
    for char in picture:
        if char in "|x":
            rig.flush(discards=char == "x")
        elif char in later:
            rig.configure(later[char])
        else:
            rig.hear(PROBABILITY[char])
    rig.step(rig.segmenter.finish)
    return rig


def line(event: Found) -> str:
    match event:
        case SpeechStarted(at):
            return f"active {at}"
        case InterimDue(start, end):
            return f"interim {start}-{end}"
        case SegmentEnded(at, start, end, flushed):
            return f"{'flushed' if flushed else 'inactive'} {at}: {start}-{end}"
        case SegmentDiscarded(at, start, end):
            return f"discarded {at}: {start}-{end}"


@pytest.mark.parametrize(
    ("picture", "events"),
    [
        ("", []),
        (".........", []),
        ("...####......", ["active 30", "inactive 70: 10-80"]),
        ("##......", ["active 0", "inactive 20: 0-30"]),  # no room for the prefix
        # min_speech: two windows, with less than two of silence between.
        ("...#......", []),
        ("...##.....", ["active 30", "inactive 50: 10-60"]),
        ("...#.#....", ["active 30", "inactive 60: 10-70"]),
        ("...#..#...", []),
        ("#..##.....", ["active 30", "inactive 50: 10-60"]),
        # Hysteresis: `-` goes on with speech, but does not begin or resume it.
        ("------", []),
        ("-##------...", ["active 10", "inactive 90: 0-100"]),
        ("##.-.......", ["active 0", "inactive 20: 0-30"]),
        ("##..-##...", ["active 0", "inactive 20: 0-30", "active 50", "inactive 70: 30-80"]),
        ("#.-.......", []),  # nor a candidate
        ("#-.......", ["active 0", "inactive 20: 0-30"]),
        # min_silence: three windows end a segment, two do not.
        ("##..##...", ["active 0", "inactive 60: 0-70"]),
        ("##...##...", ["active 0", "inactive 20: 0-30", "active 50", "inactive 70: 30-80"]),
        ("##....##...", ["active 0", "inactive 20: 0-30", "active 60", "inactive 80: 40-90"]),
        # The end of the stream: speech, pause, candidate.
        ("...##", ["active 30", "inactive 50: 10-50"]),
        ("...##.", ["active 30", "inactive 50: 10-60"]),
        ("...##..", ["active 30", "inactive 50: 10-60"]),
        ("...#", []),
        ("##...#", ["active 0", "inactive 20: 0-30"]),
    ],
)
def test_pictures(picture: str, events: list[str]) -> None:
    assert run(picture, SETTINGS) == events


@pytest.mark.parametrize(
    ("picture", "dropped"),
    [
        ("...#......", [(30, 40)]),
        ("...#..#...", [(30, 40), (60, 70)]),
        ("#..##.....", [(0, 10)]),  # although the segment's padding takes it
        ("...#", [(30, 40)]),
        ("...##|.#", [(60, 70)]),
        ("...#|#", [(30, 40), (40, 50)]),
        ("##.....", []),
    ],
)
def test_speech_that_is_too_short_is_reported(picture: str, dropped: list[tuple[int, int]]) -> None:
    assert [(event.start, event.end) for event in rig_of(picture, SETTINGS).dropped] == dropped


@pytest.mark.parametrize(
    ("picture", "events"),
    [
        ("|...|", []),
        ("##|", ["active 0", "flushed 20: 0-20"]),
        ("...###|...", ["active 30", "flushed 60: 10-60"]),
        # In a pause: as if the silence had lasted.
        ("##.|...", ["active 0", "flushed 20: 0-30"]),
        # The prefix does not reach behind the flush.
        ("##..|##.", ["active 0", "flushed 20: 0-30", "active 40", "inactive 60: 40-70"]),
        ("....|.##...", ["active 50", "inactive 70: 40-80"]),
        # A candidate is dropped, as at the end of the stream, and counts for nothing afterwards.
        ("#|#...", []),
        ("#|##...", ["active 10", "inactive 30: 10-40"]),
        ("#||...", []),
        # After the end there is nothing to flush.
        ("##...|", ["active 0", "inactive 20: 0-30"]),
        ("##||", ["active 0", "flushed 20: 0-20"]),
        # Speech that goes on is a segment of its own, without a sample of the first.
        ("##|##...", ["active 0", "flushed 20: 0-20", "active 20", "inactive 40: 20-50"]),
        ("##|-#-...", ["active 0", "flushed 20: 0-20", "active 30", "inactive 50: 20-60"]),
    ],
)
def test_flush_in_every_state(picture: str, events: list[str]) -> None:
    assert run(picture, SETTINGS) == events


@pytest.mark.parametrize("min_speech", [0, 1, 10, 15, 20])
@pytest.mark.parametrize("last", [0.9, 0.1])
def test_a_flush_takes_the_samples_of_the_window_that_is_not_full(
    min_speech: int, last: float
) -> None:
    """Also when they are not enough for the detector to find speech in them."""
    rig = Rig(replace(SETTINGS, min_speech=min_speech), np.ones(47, np.float32))
    for _ in range(4):
        rig.hear(0.9, ahead=7)
    rig.flush(last)
    rig.step(rig.segmenter.finish)
    assert list(map(line, rig.events)) == ["active 0", "flushed 47: 0-47"]


def test_what_follows_a_flush_begins_where_it_ended() -> None:
    rig = Rig(replace(SETTINGS, min_speech=0), np.ones(60, np.float32))
    for _ in range(4):
        rig.hear(0.9, ahead=7)
    rig.flush(0.9)
    for _ in range(2):
        rig.hear(0.9)
    rig.step(rig.segmenter.finish)
    assert list(map(line, rig.events))[1:] == [
        "flushed 47: 0-47",
        "active 47",
        "inactive 60: 47-60",
    ]


@pytest.mark.parametrize(("ahead", "events"), [(4, []), (5, ["active 30", "flushed 45: 10-45"])])
def test_the_window_that_is_not_full_may_make_a_candidate_speech(
    ahead: int, events: list[str]
) -> None:
    rig = Rig(replace(SETTINGS, min_speech=15), np.ones(60, np.float32))
    for probability in (0.1, 0.1, 0.1, 0.9):
        rig.hear(probability, ahead)
    rig.flush(0.9)
    assert list(map(line, rig.events)) == events


@pytest.mark.parametrize(
    ("change", "picture", "events"),
    [
        ({"prefix_padding": 0}, "...##...", ["active 30", "inactive 50: 30-60"]),
        ({"prefix_padding": 25}, "...##...", ["active 30", "inactive 50: 5-60"]),
        ({"suffix_padding": 0}, "##...", ["active 0", "inactive 20: 0-20"]),
        ({"suffix_padding": 30}, "##...", ["active 0", "inactive 20: 0-50"]),
        ({"suffix_padding": 30}, "##.", ["active 0", "inactive 20: 0-30"]),
        (  # a prefix longer than the pause
            {"prefix_padding": 100},
            "##...##...",
            ["active 0", "inactive 20: 0-30", "active 50", "inactive 70: 30-80"],
        ),
        ({"min_speech": 0}, "..#...", ["active 20", "inactive 30: 0-40"]),
        ({"min_speech": 11}, "..#...", []),
        ({"min_speech": 11}, "..##...", ["active 20", "inactive 40: 0-50"]),
        ({"min_silence": 31}, "##...##...", ["active 0", "inactive 70: 0-80"]),
        ({"min_silence": 31}, "##....", ["active 0", "inactive 20: 0-30"]),
        # A pause that ends a segment ends a candidate too.
        ({"min_speech": 40}, "..##...##....", []),
        ({"min_speech": 40}, "..##..##....", ["active 20", "inactive 80: 0-90"]),
        ({"threshold": 0.95}, "####", []),
        ({"threshold": 0.05}, "..", ["active 0", "inactive 20: 0-20"]),
        ({"threshold": 0.1}, "..", ["active 0", "inactive 20: 0-20"]),
    ],
)
def test_settings(change: dict[str, float], picture: str, events: list[str]) -> None:
    assert run(picture, replace(SETTINGS, **change)) == events  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("threshold", "probability", "goes_on"),
    [(0.5, 0.351, True), (0.5, 0.349, False), (0.1, 0.011, True), (0.1, 0.009, False)],
)
def test_the_exit_threshold(threshold: float, probability: float, goes_on: bool) -> None:
    rig = Rig(replace(SETTINGS, threshold=threshold), np.ones(100, np.float32))
    for given_ in [0.9, 0.9, *[probability] * 3]:
        rig.hear(given_)
    assert rig.in_speech == goes_on


# --- Too long ---


def loud(length: int, *quiet: tuple[int, int]) -> NDArray[np.float32]:
    samples = np.ones(length, np.float32)
    for first, last in quiet:
        samples[first:last] = 0.01
    return samples


@pytest.mark.parametrize(
    ("quiet", "cut"),
    [
        ((240, 270), 255),
        ((200, 230), 215),  # the earliest
        ((270, 300), 285),  # the latest
        ((236, 274), 255),  # whatever frame lies wholly in it
        ((170, 200), 215),  # quiet before the last third does not count: the first of equals
        ((300, 330), 215),  # nor after the limit
    ],
)
def test_a_forced_cut_is_at_the_quietest_point(quiet: tuple[int, int], cut: int) -> None:
    assert run("#" * 40, SETTINGS, loud(400, quiet)) == [
        "active 0",
        f"inactive {cut}: 0-{cut}",
        f"active {cut}",
        f"inactive 400: {cut}-400",
    ]


def test_a_forced_cut_counts_from_the_start_of_the_segment_with_its_padding() -> None:
    assert run("....." + "#" * 40, SETTINGS, loud(450, (250, 280)))[:3] == [
        "active 50",
        "inactive 265: 30-265",
        "active 265",
    ]


def test_the_parts_of_long_speech_join_on() -> None:
    rng = np.random.default_rng(3)
    rig = Rig(SETTINGS, rng.normal(size=5_000).astype(np.float32))
    for _ in range(500):
        rig.hear(0.9)
    rig.step(rig.segmenter.finish)
    ended = [event for event in rig.events if isinstance(event, SegmentEnded)]
    assert len(ended) >= 5000 / 300
    assert [0, *(e.end for e in ended)] == [*(e.start for e in ended), 5000]
    assert all(200 <= e.end - e.start <= 300 for e in ended[:-1])


def test_the_end_of_speech_is_found_after_a_forced_cut() -> None:
    assert run("#" * 35 + "...", SETTINGS, loud(380, (240, 270))) == [
        "active 0",
        "inactive 255: 0-255",
        "active 255",
        "inactive 350: 255-360",
    ]


PATIENT = replace(SETTINGS, min_silence=80)


@pytest.mark.parametrize(
    ("pause", "then"),
    [
        (5, ["active 310", "inactive 340: 270-340"]),  # resumes: not a sample is missing
        (7, ["active 330", "inactive 360: 270-360"]),
        (8, ["active 340", "inactive 370: 320-370"]),  # min_silence has passed: a new segment
        (9, ["active 350", "inactive 380: 330-380"]),
    ],
)
def test_a_forced_end_in_a_pause(pause: int, then: list[str]) -> None:
    picture = "#" * 26 + "." * pause + "###"
    assert run(picture, PATIENT) == ["active 0", "inactive 260: 0-270", *then]


def test_one_window_is_enough_to_resume() -> None:
    assert run("#" * 26 + "....." + "#..", PATIENT)[2:] == ["active 310", "inactive 320: 270-330"]


def test_a_flush_after_speech_resumed_is_an_end() -> None:
    # What follows needs its minimum again, though min_silence since the forced end is not over.
    events = run("#" * 26 + "....." + "#|.#....", PATIENT)
    assert events[2:] == ["active 310", "flushed 320: 270-320"]


def test_a_forced_end_and_then_nothing() -> None:
    assert run("#" * 26 + "." * 30, PATIENT) == ["active 0", "inactive 260: 0-270"]


@pytest.mark.parametrize("suffix", [0, 10, 50, 80])
def test_the_suffix_of_a_forced_end_stays_within_the_longest_segment(suffix: int) -> None:
    events = run("#" * 26 + "." * 30, replace(PATIENT, suffix_padding=suffix))
    assert events == ["active 0", f"inactive 260: 0-{min(260 + suffix, 300)}"]


def test_so_does_the_suffix_of_an_ordinary_end() -> None:
    # The limit, 305, falls inside the window in which the silence has lasted long enough.
    asked = replace(SETTINGS, max_segment=305, suffix_padding=30)
    assert run("#" * 28 + "...", asked) == ["active 0", "inactive 280: 0-305"]


@pytest.mark.parametrize(
    ("resumes", "start"), [(460, 270), (470, 450), (480, 460)], ids=["joins", "limit", "later"]
)
def test_a_pause_that_would_fill_a_segment_is_left_out(resumes: int, start: int) -> None:
    # min_silence is longer than a segment may be: [270, 470) is as much as joins on.
    picture = "#" * 26 + "." * ((resumes - 260) // 10) + "##" + "." * 4
    events = run(picture, replace(SETTINGS, min_silence=4_000))
    assert events[2] == f"active {resumes}"
    assert f": {start}-" in events[3]


def test_speech_confirmed_after_many_pauses_is_cut_as_often_as_it_takes() -> None:
    asked = replace(SETTINGS, min_speech=200, min_silence=200, prefix_padding=0)
    picture = ("#" + "." * 18) * 20
    rig = Rig(asked, np.random.default_rng(1).normal(size=WINDOW * len(picture)).astype(np.float32))
    for char in picture:
        rig.hear(PROBABILITY[char])
        assert not rig.in_speech or rig.heard - rig.segmenter.keep_from < 300
    rig.step(rig.segmenter.finish)
    check(rig.events, asked, rig.tape.end)
    assert sum(isinstance(event, SegmentEnded) for event in rig.events) >= 3_600 / 300


# --- Interims ---


@pytest.mark.parametrize(
    ("picture", "foreseen"),
    [
        ("...####......", 1),
        ("##..##...", 1),  # the first pause does not hold
        ("##...##...##...", 3),
        ("####", 0),  # ends with the stream, without a pause
        ("####.", 1),
        ("##.|..", 1),
        ("##|...", 0),
    ],
)
def test_a_segment_that_ends_in_silence_is_foreseen(picture: str, foreseen: int) -> None:
    rig = rig_of(picture, SETTINGS)
    assert rig.foreseen == foreseen
    assert rig.paused is None


@pytest.mark.parametrize(
    ("lead", "told"),
    [
        (None, 10),  # as soon as the suffix padding is over
        (1_000, 10),
        (50, 10),
        (49, 10),
        (40, 20),
        (31, 20),
        (10, 50),
        (1, 50),
    ],
)
def test_a_pause_is_told_when_the_end_is_near(lead: int | None, told: int) -> None:
    asked = replace(SETTINGS, min_silence=55)  # until the next window is over
    samples = np.zeros(200, np.float32)
    lengths: list[int] = []

    def lead_of(length: int) -> int:
        lengths.append(length)
        assert lead is not None
        return lead

    rig = Rig(asked, samples, lead=None if lead is None else lead_of)
    for char in "...###":
        rig.hear(PROBABILITY[char])
    while rig.paused is None:
        rig.hear(0.1)
    assert rig.heard - 60 == told
    assert rig.paused == (10, 70)
    rig.hear(0.9)
    for _ in range(6):
        rig.hear(0.1)
    assert [line(event) for event in rig.events] == [
        "active 30",
        f"inactive {70 + told}: 10-{80 + told}",
    ]
    assert rig.foreseen == 1  # and told again
    assert {50, 60, 70 + told} >= set(lengths)  # of the segment, its padding included


def interims(picture: str, **change: float) -> list[str]:
    asked = replace(SETTINGS, interim_interval=50, **change)  # type: ignore[arg-type]
    return run(picture, asked)


@pytest.mark.parametrize(
    ("picture", "change", "events"),
    [
        (  # counted from the start of the segment, and then from the last one
            "...###########...",
            {},
            ["active 30", "interim 10-60", "interim 10-110", "inactive 140: 10-150"],
        ),
        ("##", {}, ["active 0", "inactive 20: 0-20"]),  # too short
        (  # each next one after half the length that the segment had
            "#" * 29,
            {"interim_growth": 0.5},
            [
                *("active 0", "interim 0-50", "interim 0-100", "interim 0-150"),
                *("interim 0-230", "inactive 290: 0-290"),
            ],
        ),
        (  # in a pause nothing has grown
            "####..##...",
            {},
            ["active 0", "interim 0-70", "inactive 80: 0-90"],
        ),
        ("####...", {}, ["active 0", "inactive 40: 0-50"]),
        (  # at once when the prefix alone is as long as the interval
            ".....##...",
            {"prefix_padding": 50},
            ["active 50", "interim 0-70", "inactive 70: 0-80"],
        ),
        ("#####|...", {}, ["active 0", "interim 0-50", "flushed 50: 0-50"]),
    ],
)
def test_interims(picture: str, change: dict[str, float], events: list[str]) -> None:
    assert interims(picture, **change) == events


@pytest.mark.parametrize(
    ("growth", "after"),
    [(0.0, ["interim 0-140", "interim 0-190"]), (1.0, ["interim 0-180"])],
)
def test_an_interim_of_a_pause_postpones_the_next_one(growth: float, after: list[str]) -> None:
    """By as much as if it had been asked for when the pause was told."""
    asked = replace(SETTINGS, min_silence=50, interim_interval=50, interim_growth=growth)
    windows = "########...##########...."
    samples = np.repeat([float(window == "#") for window in windows], WINDOW).astype(np.float32)
    rig = Rig(asked, samples)
    for number, window in enumerate(windows, 1):
        rig.hear(PROBABILITY[window])
        if number == 9:
            assert rig.paused == (0, 90)
            rig.segmenter.interim_made()
            rig.eventless_until = 0
    found = [line(event) for event in rig.events]
    assert found == ["active 0", "interim 0-50", *after]


def test_nor_is_there_one_to_postpone() -> None:
    """Without interims, without speech, and while it is not certain that there is some."""
    for picture, interval in (("...", 50), ("#", 50), ("####.", None)):
        asked = replace(SETTINGS, min_speech=20, interim_interval=interval)
        rig = rig_of("", asked, np.ones(100, np.float32))
        for window in picture:
            rig.hear(PROBABILITY[window])
        rig.segmenter.interim_made()


@pytest.mark.parametrize("max_segment_s", [20, 60, 150])
def test_interims_of_two_minutes_without_a_pause_cost_no_more_and_more(max_segment_s: int) -> None:
    """Seconds of audio inferred for interims, for each second of speech: at most 1 / growth + 1."""
    rate, window, growth = 16_000, 512, 0.2
    asked = replace(
        SETTINGS,
        sample_rate=rate,
        max_segment=max_segment_s * rate,
        interim_interval=rate // 2,
        interim_growth=growth,
    )
    rig = Rig(asked, np.ones(120 * rate, dtype=np.float32), window)
    for _ in range(120 * rate // window):
        rig.hear(0.9)
    due = [event for event in rig.events if isinstance(event, InterimDue)]
    for until_s in (30, 60, 120):
        inferred = sum(event.end - event.start for event in due if event.end <= until_s * rate)
        # A hundredth more, because a cut falls before the last window that was heard.
        assert inferred <= 1.01 * until_s * rate * (1 / growth + 1)


def test_a_segment_that_is_cut_gets_no_interim_of_its_whole() -> None:
    events = interims("#" * 40)
    cut = events.index("inactive 215: 0-215")
    assert events[cut - 1] == "interim 0-250"
    # The next counts from the cut; that much has been heard already.
    assert events[cut + 1 :] == [
        "active 215",
        "interim 215-300",
        "interim 215-350",
        "interim 215-400",
        "inactive 400: 215-400",
    ]


# --- Whatever comes ---


@st.composite
def settings_(draw: st.DrawFn) -> SegmenterSettings:
    longest = draw(st.integers(100, 600))
    beginning = draw(st.integers(0, longest * 2 // 3))
    prefix = draw(st.integers(0, beginning))
    silence = draw(st.integers(1, 800) | st.integers(1, 60))
    return SegmenterSettings(
        threshold=draw(st.floats(0.01, 0.99)),
        min_silence=silence,
        min_speech=beginning - prefix,
        prefix_padding=prefix,
        suffix_padding=draw(st.integers(0, silence)),
        max_segment=longest,
        sample_rate=1000,
        interim_interval=draw(st.none() | st.integers(1, 200)),
        interim_growth=draw(st.floats(0, 1)),
    )


@dataclass(frozen=True)
class Case:
    """An input: probabilities, and samples for them with the last window perhaps not full."""

    window: int
    probabilities: list[float]
    samples: NDArray[np.float32]

    def probability(self, sample: int) -> float:
        """Of the window that begins at a sample."""
        return self.probabilities[min(sample // self.window, len(self.probabilities) - 1)]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    window = draw(st.sampled_from([7, 10, 32]))
    levels = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)
    runs = draw(st.lists(st.tuples(levels, st.integers(1, 40)), max_size=20))
    probabilities = [p for p, repeats in runs for _ in range(repeats)]
    missing = draw(st.integers(0, window - 1)) if probabilities else 0
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    loudness = np.repeat(probabilities, window)[: len(probabilities) * window - missing]
    samples = (rng.normal(size=len(loudness)) * loudness).astype(np.float32)
    return Case(window, probabilities, samples)


def check(
    events: Iterable[SegmenterEvent],
    asked: SegmenterSettings,
    end: int,
    flushes: Iterable[int] = (),
) -> None:
    """What holds for the events of any whole stream of `end` samples."""
    floor, active = 0, None
    last: InterimDue | None = None
    for event in events:
        match event:
            case SpeechStarted(at):
                assert active is None
                assert floor <= at < end
                active, last = at, None
            case InterimDue():
                assert asked.interim_interval is not None
                assert active is not None
                assert floor <= event.start <= active < event.end <= end
                assert event.end - event.start < asked.max_segment
                length = 0
                if last is not None:
                    assert event.start == last.start
                    length = int(asked.interim_growth * (last.end - last.start))
                since = last.end if last else event.start
                assert event.end - since >= max(asked.interim_interval, length)
                last = event
            case SegmentEnded():
                assert active is not None
                assert floor <= event.start <= active < event.at <= event.end <= end
                assert last is None or last.start == event.start
                assert event.end - event.start <= asked.max_segment
                assert not any(event.start < flush < event.end for flush in flushes)
                floor, active = event.end, None
    assert active is None


def play(
    case: Case,
    asked: SegmenterSettings,
    flushes: set[int],
    ahead: list[int],
    lead: Callable[[int], int] | None = None,
    *,
    restless: bool = False,
    discards: bool = False,
    later: Mapping[int, SegmenterSettings] = MappingProxyType({}),
) -> Rig:
    rig = Rig(asked, case.samples, case.window, lead, restless=restless)
    for index in count():
        if rig.heard < len(case.samples) and index in flushes:
            rig.flush(case.probability(rig.heard), discards=discards)
        if index in later:
            rig.configure(later[index])
        if rig.heard == len(case.samples):
            break
        rig.hear(case.probability(rig.heard), ahead[index % len(ahead)])
    rig.step(rig.segmenter.finish)
    assert rig.heard == rig.tape.end == len(case.samples)
    return rig


many = settings(max_examples=300)


@many
@given(cases(), settings_(), st.sets(st.integers(0, 300)), st.integers(0, 31))
def test_invariants_with_flushes_anywhere(
    case: Case, asked: SegmenterSettings, flushes: set[int], ahead: int
) -> None:
    # Less than a window is ahead, as in `SpeechChannel.flush`.
    rig = play(case, asked, flushes, [min(ahead, case.window - 1)])
    check(rig.events, asked, len(case.samples), rig.flushes)


@many
@given(cases(), settings_(), st.integers(0, 300), st.integers(0, 31))
def test_after_a_flush_all_is_as_in_a_new_stream(
    case: Case, asked: SegmenterSettings, flush: int, ahead: int
) -> None:
    rig = play(case, asked, {flush}, [min(ahead, case.window - 1)])
    if not rig.flushes:
        return
    [at] = rig.flushes
    new = Rig(asked, case.samples[at:], case.window)
    while new.heard < len(new.tape.samples):
        new.hear(case.probability(at + new.heard))
    new.step(new.segmenter.finish)
    after = [event for event in rig.events if first_sample(event) >= at]
    assert list(map(line, after)) == [line(shifted(event, at)) for event in new.events]


def first_sample(event: Found) -> int:
    return event.at if isinstance(event, SpeechStarted) else event.start


def shifted(event: Found, by: int) -> Found:
    if isinstance(event, SpeechStarted):
        return SpeechStarted(event.at + by)
    if isinstance(event, InterimDue):
        return InterimDue(event.start + by, event.end + by)
    at, start, end = event.at + by, event.start + by, event.end + by
    if isinstance(event, SegmentDiscarded):
        return SegmentDiscarded(at, start, end)
    return SegmentEnded(at, start, end, event.flushed, event.cut)


@many
@given(cases(), settings_(), st.integers(0, 300), st.integers(0, 31))
def test_what_is_discarded_is_what_a_flush_would_have_ended(
    case: Case, asked: SegmenterSettings, place: int, ahead: int
) -> None:
    ahead = min(ahead, case.window - 1)
    flushed = play(case, asked, {place}, [ahead])
    discarded = play(case, asked, {place}, [ahead], discards=True)
    assert discarded.flushes == flushed.flushes
    assert discarded.dropped == flushed.dropped
    for one, other in zip(flushed.events, discarded.events, strict=True):
        if isinstance(other, SegmentDiscarded):
            assert isinstance(one, SegmentEnded)
            assert one.flushed
            assert other.end == flushed.flushes[0]
            assert (other.start, other.end) >= (one.start, one.end)
        else:
            assert one == other
            assert not isinstance(one, SegmentEnded) or not one.flushed


def test_less_speech_may_be_enough_after_what_is_open() -> None:
    rig = Rig(replace(SETTINGS, min_speech=100), np.zeros(200, np.float32))
    rig.hear(0.9)
    assert rig.segmenter.eventless_until == 10 + 90
    rig.configure(replace(SETTINGS, min_speech=20))
    assert rig.segmenter.eventless_until == 10 + 20


@many
@given(
    cases(),
    settings_(),
    st.lists(st.tuples(st.integers(0, 300), settings_()), max_size=4),
    st.sets(st.integers(0, 300), max_size=3),
)
def test_other_settings_count_for_the_speech_that_begins_later(
    case: Case,
    asked: SegmenterSettings,
    later: list[tuple[int, SegmenterSettings]],
    flushes: set[int],
) -> None:
    rig = play(case, asked, flushes, [0], later=dict(later))
    changes = [(0, asked), *rig.changes]
    end = len(case.samples)
    check_times(rig.events, end, rig.flushes)
    for segment in by_segment(rig.events):
        [begun, *interims, ended] = segment
        assert isinstance(begun, SpeechStarted)
        assert isinstance(ended, SegmentEnded)
        [*_, in_force] = [wanted for at, wanted in changes if at <= begun.at]
        assert ended.end - ended.start <= in_force.max_segment
        assert len(interims) == 0 or in_force.interim_interval is not None
        check([begun, *interims, ended], in_force, end)


@many
@given(cases(), settings_(), st.sets(st.integers(0, 300)), st.sets(st.integers(0, 300)))
def test_the_same_settings_again_change_nothing(
    case: Case, asked: SegmenterSettings, places: set[int], flushes: set[int]
) -> None:
    again = play(case, asked, flushes, [0], later=dict.fromkeys(places, asked))
    assert again.events == play(case, asked, flushes, [0]).events


def by_segment(events: list[Found]) -> list[list[Found]]:
    starts = [n for n, event in enumerate(events) if isinstance(event, SpeechStarted)]
    return [events[n:then] for n, then in pairwise([*starts, len(events)])]


def check_times(events: list[Found], end: int, flushes: list[int]) -> None:
    """Segments are in order, do not overlap, and none lies on both sides of a flush."""
    floor = 0
    for event in events:
        if isinstance(event, SegmentEnded):
            assert floor <= event.start < event.end <= end
            assert not any(event.start < flush < event.end for flush in flushes)
            floor = event.end


@pytest.mark.parametrize(
    ("picture", "events"),
    [
        # Nothing is open: at once. It has a longer prefix, but not one that reaches further back.
        ("...P..##...", ["active 50", "inactive 70: 10-80"]),
        # A segment is open: after it.
        ("##P..##......", ["active 0", "inactive 60: 0-70"]),
        ("##P...##...", ["active 0", "inactive 20: 0-30", "active 50", "inactive 70: 30-80"]),
        # What may become a segment counts as open, too.
        (".....#L#...##...", ["active 50", "inactive 70: 30-80"]),
        (".....#L....#.##...", ["active 100", "inactive 140: 80-150"]),
        # Of several, the last one that counts.
        (
            "##PLP...#L#...##...",
            ["active 0", "inactive 20: 0-30", "active 50", "inactive 70: 30-80"],
        ),
        # After a flush it begins anew.
        ("##L|####...", ["active 0", "flushed 20: 0-20", "active 20", "inactive 60: 20-70"]),
    ],
)
def test_other_settings_in_pictures(picture: str, events: list[str]) -> None:
    later = {
        "P": replace(SETTINGS, prefix_padding=100),
        "L": replace(SETTINGS, min_speech=30),
    }
    assert list(map(line, rig_of(picture, SETTINGS, later=later).events)) == events


def test_a_part_that_begins_before_other_settings_keeps_those_of_the_part_before() -> None:
    """A segment that is too long is cut in the past."""
    shorter = replace(SETTINGS, max_segment=100, min_speech=0)
    rig = rig_of("#" * 26 + "S" + "#" * 34, SETTINGS, later={"S": shorter})
    begun = [event.at for event in rig.events if isinstance(event, SpeechStarted)]
    ended = [event for event in rig.events if isinstance(event, SegmentEnded)]
    lengths = [event.end - event.start for event in ended]
    assert 200 <= begun[1] < 260  # cut before the settings changed, at 260
    assert lengths[1] > 100
    assert all(length <= 100 for length in lengths[2:])
    assert [event.cut for event in ended] == [True] * (len(ended) - 1) + [False]


@pytest.mark.parametrize(
    ("picture", "events"),
    [
        ("...x...", []),
        ("##x##...", ["active 0", "discarded 20: 0-20", "active 20", "inactive 40: 20-50"]),
        ("##.x...", ["active 0", "discarded 20: 0-30"]),
        ("#x#...", []),
        ("##...x", ["active 0", "inactive 20: 0-30"]),
    ],
)
def test_what_is_open_can_be_discarded(picture: str, events: list[str]) -> None:
    assert run(picture, SETTINGS) == events


@many
@given(cases(), settings_(), st.lists(st.integers(0, 2_000), min_size=1))
def test_how_windows_are_grouped_does_not_matter(
    case: Case, asked: SegmenterSettings, ahead: list[int]
) -> None:
    alone, grouped = play(case, asked, set(), [0]), play(case, asked, set(), ahead)
    assert alone.events == grouped.events
    check(alone.events, asked, len(case.samples))


@many
@given(cases(), settings_(), st.sets(st.integers(0, 300)), st.integers(0, 500), st.integers(1, 50))
def test_when_a_pause_is_told_changes_no_segment(
    case: Case, asked: SegmenterSettings, flushes: set[int], least: int, part: int
) -> None:
    told = play(case, asked, flushes, [0], lambda length: least + length // part)
    assert told.events == play(case, asked, flushes, [0]).events


@many
@given(cases(), settings_(), st.lists(st.integers(0, 2_000), min_size=1))
def test_a_lead_may_change_at_any_time(
    case: Case, asked: SegmenterSettings, leads: list[int]
) -> None:
    answers = cycle(leads)
    told = play(case, asked, set(), [0], lambda _length: next(answers), restless=True)
    assert told.events == play(case, asked, set(), [0]).events


@many
@given(cases(), settings_(), st.sets(st.integers(0, 300)))
def test_without_a_minimum_all_speech_is_in_a_segment(
    case: Case, asked: SegmenterSettings, flushes: set[int]
) -> None:
    rig = play(case, replace(asked, min_speech=0), flushes, [0])
    held = np.zeros(len(case.samples), bool)
    for event in rig.events:
        if isinstance(event, SegmentEnded):
            held[event.start : event.end] = True
    speech = np.repeat(np.array(case.probabilities) >= asked.threshold, case.window)
    assert held[speech[: len(held)]].all()


@many
@given(cases(), settings_())
def test_a_pause_that_does_not_end_speech_loses_no_sample(
    case: Case, asked: SegmenterSettings
) -> None:
    events = play(case, asked, set(), [0]).events
    begun = [event.at for event in events if isinstance(event, SpeechStarted)]
    ended = [event for event in events if isinstance(event, SegmentEnded)]
    for (first, then), active in zip(pairwise(ended), begun[1:], strict=True):
        # A pause that would fill the two thirds of a segment before any cut is left out.
        longest = asked.max_segment - asked.max_segment // 3
        if active < min(first.at + asked.min_silence, first.end + longest):
            assert then.start == first.end
        else:
            assert then.start == max(active - asked.prefix_padding, first.end)


@many
@given(cases(), settings_())
def test_a_long_enough_pause_is_never_inside_speech(case: Case, asked: SegmenterSettings) -> None:
    events = play(case, asked, set(), [0]).events
    begun = [event.at for event in events if isinstance(event, SpeechStarted)]
    ended = [event.at for event in events if isinstance(event, SegmentEnded)]
    exit_threshold = max(asked.threshold - HYSTERESIS, MIN_EXIT_THRESHOLD)
    silent = [p < exit_threshold for p in case.probabilities]
    index = 0
    for is_silent, group in groupby(silent):
        first, index = index, index + len(list(group))
        pause = (first * case.window, min(index * case.window, len(case.samples)))
        if is_silent and pause[1] - pause[0] >= asked.min_silence:
            for active, inactive in zip(begun, ended, strict=True):
                assert not (active < pause[0] and pause[1] < inactive)

"""Whether audio comes in real time, and how long a gap is usual; the clock is passed in."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.session.pauses import MIN_SPAN_S, WINDOW_S, AudioPace

Arrivals = list[tuple[float, float]]
"""When a message arrived, and how many seconds of audio it has."""

sizes_s = st.sampled_from([0.01, 0.02, 0.032, 0.1, 0.25, 0.5, 1.0, 2.0])


def pace_of(arrivals: Iterable[tuple[float, float]]) -> AudioPace:
    pace = AudioPace()
    for at_s, audio_s in arrivals:
        pace.on_audio(audio_s, at_s)
    return pace


def steady(size_s: float, seconds: float, rate: float = 1.0, begin_s: float = 7.0) -> Arrivals:
    """Messages at a constant rate: 2 = twice as fast as real time."""
    count = max(2, round(seconds / size_s))
    return [(begin_s + n * size_s / rate, size_s) for n in range(count)]


def jittered(arrivals: Arrivals, delays_s: list[float]) -> Arrivals:
    """Each message is late by one of the delays, and none overtakes another."""
    late: Arrivals = []
    for n, (at_s, audio_s) in enumerate(arrivals):
        delayed_s = at_s + delays_s[n % len(delays_s)]
        late.append((max(delayed_s, late[-1][0] if late else 0.0), audio_s))
    return late


def longest(arrivals: Arrivals, last_s: float) -> float:
    """The longest gap in the last seconds."""
    recent = [at_s for at_s, _ in arrivals if at_s >= arrivals[-1][0] - last_s]
    return max((after - before for before, after in pairwise(recent)), default=0.0)


@given(sizes_s, st.floats(3, 20), st.lists(st.floats(0, 0.08), min_size=1, max_size=30))
def test_live_audio_in_any_size_with_any_jitter_is_live(
    size_s: float, seconds: float, delays_s: list[float]
) -> None:
    """And no gap between two of its messages is a pause."""
    arrivals = jittered(steady(size_s, seconds), delays_s)
    gap_s = pace_of(arrivals).longest_gap_s()
    assert gap_s is not None
    assert longest(arrivals, WINDOW_S - 0.5) < gap_s <= 1.5 * (max(size_s, 0.1) + 0.2) + 0.3


@given(sizes_s, st.floats(2, 20), st.floats(1.6, 200))
def test_a_recording_sent_faster_is_not_live(size_s: float, seconds: float, rate: float) -> None:
    assert pace_of(steady(size_s, seconds, rate)).longest_gap_s() is None


@given(sizes_s, st.floats(2, 20), st.floats(0.1, 0.7))
def test_audio_that_comes_too_slowly_is_not_live(
    size_s: float, seconds: float, rate: float
) -> None:
    assert pace_of(steady(size_s, seconds, rate)).longest_gap_s() is None


@given(sizes_s, st.floats(1.6, 200), st.integers(0, 10_000), st.floats(0, 60))
def test_a_recording_that_stalls_is_not_live_at_once(
    size_s: float, rate: float, at: int, stall_s: float
) -> None:
    before = steady(size_s, 5, rate)[: 2 + at % 50]
    last_s = before[-1][0]
    after = steady(size_s, 4, rate, begin_s=last_s + stall_s)
    pace = pace_of(before)
    assert pace.longest_gap_s() is None
    for at_s, audio_s in after[:2]:
        pace.on_audio(audio_s, at_s)
        gap_s = pace.longest_gap_s()
        # If the stall makes up for the haste, then at least such a stall is no pause.
        assert gap_s is None or gap_s > stall_s


def test_a_short_word_is_enough_to_be_certain_and_a_moment_is_not() -> None:
    assert pace_of(steady(0.02, MIN_SPAN_S)).longest_gap_s() is None
    assert pace_of(steady(0.02, 0.5)).longest_gap_s() is not None
    assert pace_of([(0.0, 1.0)]).longest_gap_s() is None, "one message has no pace"


def test_audio_saved_up_before_the_connection_is_no_haste_for_long() -> None:
    """Two seconds of it at once, then live."""
    pace = pace_of([(0.0, 2.0), *steady(0.02, 1.0, begin_s=0.02)])
    gap_s = pace.longest_gap_s()
    assert gap_s is not None
    assert gap_s < 0.5


@given(st.floats(0.3, 4), st.floats(0, 1))
def test_a_network_that_stalls_and_catches_up_is_live_and_may_stall_again(
    stall_s: float, then_s: float
) -> None:
    before = steady(0.02, 6)
    resumed_s = before[-1][0] + stall_s
    burst = [(resumed_s, 0.02)] * round(stall_s / 0.02)
    after = steady(0.02, then_s, begin_s=resumed_s + 0.02)
    gap_s = pace_of([*before, *burst, *after]).longest_gap_s()
    assert gap_s is not None
    assert gap_s > stall_s


@pytest.mark.parametrize("word_s", [0.5, 0.8, 2.0])
@pytest.mark.parametrize("gap_s", [0.2, 0.35, 0.5])
def test_gaps_between_words_do_not_make_it_late(word_s: float, gap_s: float) -> None:
    """Discontinuous transmission sends only sound, and that in real time."""
    arrivals: Arrivals = []
    for _ in range(6):
        begin_s = arrivals[-1][0] + gap_s if arrivals else 0.0
        arrivals += steady(0.02, word_s, begin_s=begin_s)
    usual_s = pace_of(arrivals).longest_gap_s()
    assert usual_s is not None
    assert gap_s < usual_s <= 1.5 * (gap_s + 0.1) + 0.1


@given(sizes_s, st.lists(st.floats(0.5, 3_000), min_size=1, max_size=5))
def test_pauses_do_not_count(size_s: float, pauses_s: list[float]) -> None:
    """After each pause, the audio is live as if there had been none."""
    pace = pace_of(spurt := steady(size_s, 6))
    usual_s = pace.longest_gap_s()
    assert usual_s is not None
    for pause_s in pauses_s:
        pace.on_pause()
        assert pace.longest_gap_s() is None, "a pause is noticed once"
        spurt = steady(size_s, 6, begin_s=spurt[-1][0] + usual_s + pause_s)
        for at_s, audio_s in spurt[: max(2, round(0.3 / size_s))]:
            pace.on_audio(audio_s, at_s)
            gap_s = pace.longest_gap_s()
            assert gap_s is not None
            assert gap_s <= usual_s + size_s + 0.2
        for at_s, audio_s in spurt[max(2, round(0.3 / size_s)) :]:
            pace.on_audio(audio_s, at_s)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 100)), max_size=300))
def test_whatever_arrives_little_is_kept(arrivals: Arrivals) -> None:
    pace, now_s = AudioPace(), 0.0
    for audio_s, after_s in arrivals:
        now_s += after_s
        pace.on_audio(audio_s, now_s)
        gap_s = pace.longest_gap_s()
        assert gap_s is None or gap_s >= 0
    assert len(pace._steps) <= 64

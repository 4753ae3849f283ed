"""Interims of pauses, whatever the cuts, the flushes and the pace of the model."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.format import AudioFormat
from streamer.pipeline.account import Fate
from streamer.protocol.actions import Cleared
from streamer.protocol.events import Active, Event, Flushed, Inactive, Interim, Resumed, Segment
from streamer.protocol.requests import VadOptions
from tests.pipeline.played import Heard, Piece, check_order, encode, hear

FMT = AudioFormat(sample_rate=16_000, channels=2)
VAD = VadOptions(
    threshold=0.3, min_silence_ms=150, min_speech_ms=40, prefix_padding_ms=45, max_segment_ms=1_000
)
"""Speech in the silence of a pause, 35 ms after its end at the earliest, goes on until 150 ms."""

MILLISECONDS = st.sampled_from([50, 70, 90, 110, 130, 150, 180, 250, 400])
PIECE_MS = 20


def spoken(bursts: Sequence[Sequence[int]]) -> bytes:
    """Noise and silence in turn, each so many milliseconds long, on each of the channels."""
    rng = np.random.default_rng(3)
    rows = []
    for lengths in bursts:
        loud = np.concatenate([np.full(ms * 16, i % 2 == 0) for i, ms in enumerate(lengths)])
        rows.append(np.where(loud, rng.uniform(-0.5, 0.5, len(loud)), 0.0))
    longest = max(map(len, rows))
    frames = np.stack([np.pad(row, (0, longest - len(row))) for row in rows], axis=1)
    return encode(frames.reshape(-1), FMT)


def cut(data: bytes, places: Sequence[int]) -> list[Piece]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[first:last] for first, last in pairwise(edges)]


def regular(data: bytes, milliseconds: int = PIECE_MS) -> list[Piece]:
    step = milliseconds * FMT.sample_rate * FMT.bytes_per_frame // 1000
    return cut(data, range(step, len(data), step))


def check_eager(events: Sequence[Event | Cleared]) -> Counter[str]:
    """The order of a channel's events; returns what became of eager interims."""
    standing: Interim | None = None
    kept: list[Interim | None] = []
    outcomes = Counter[str]()
    for event in events:
        match event:
            case Interim(eager=eager):
                assert standing is None, "an interim before the eager one is taken back"
                standing = event if eager else None
                outcomes["others"] += not eager
            case Resumed(time=time):
                assert standing is not None, "there is nothing to take back"
                assert standing.start_time < time
                standing = None
                outcomes["taken back"] += 1
            case Inactive():
                kept.append(standing)
                standing = None
            case Active() | Flushed():
                assert standing is None
            case Segment(start_time=start, end_time=end, output=output):
                promised = kept.pop(0)
                if promised is not None:
                    assert (start, end) == (promised.start_time, promised.end_time)
                    assert output == promised.output
                    outcomes["kept"] += 1
            case _:
                assert kept.pop(0) is None, "an eager interim of a segment that failed"
    assert standing is None
    assert not kept
    return outcomes


def outcomes_of(heard: Heard) -> Counter[str]:
    for channel in heard.channels:
        check_order(channel.all)
    return sum((check_eager(channel.all) for channel in heard.channels), Counter[str]())


BURSTS = (
    [400, 110, 300, 130, 500, 300, 250, 200, 700, 120, 300, 250],
    [70, 130, 600, 110, 110, 300, 200, 90, 900, 130, 400],
)


def test_the_audio_of_these_tests_has_everything() -> None:
    heard = hear(FMT, regular(spoken(BURSTS)), eager=True, vad_options=VAD)
    outcomes = outcomes_of(heard)
    assert outcomes["kept"] >= 4
    assert outcomes["taken back"] >= 4
    assert not outcomes["others"]
    late = hear(FMT, regular(spoken(BURSTS)), eager=True, slowness=4, vad_options=VAD)
    assert outcomes_of(late)["others"]


def test_pauses_are_not_told_to_those_who_did_not_ask() -> None:
    heard = hear(FMT, regular(spoken(BURSTS)), interims=True, vad_options=VAD)
    outcomes = outcomes_of(heard)
    assert outcomes.keys() <= {"others"}
    ends = [e.end_time for e in heard.channels[0].all if isinstance(e, Interim | Segment)]
    assert len(ends) > len(set(ends)), "no pause has an interim"


@pytest.mark.parametrize("interims", [False, True])
def test_each_segment_is_inferred_once_however_early(interims: bool) -> None:
    heard = hear(FMT, regular(spoken(BURSTS)), eager=True, interims=interims, vad_options=VAD)
    found = {str(s.output["key"]) for c in heard.channels for s in c.finals}
    shown = {str(e.output["key"]) for c in heard.channels for e in c.all if isinstance(e, Interim)}
    assert heard.given.keys() == found | shown


def test_interims_of_pauses_are_in_the_place_of_others() -> None:
    """They are due as late as after one that was asked for: there are not twice as many."""

    def interims_of(*, interims: bool) -> list[Interim]:
        heard = hear(FMT, regular(spoken(BURSTS)), vad_options=VAD, interims=interims, eager=True)
        return [e for c in heard.channels for e in c.all if isinstance(e, Interim)]

    both, in_pauses = interims_of(interims=True), interims_of(interims=False)
    assert len(in_pauses) <= len(both) < 2 * len(in_pauses)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_an_eager_interim_is_the_segment_or_is_taken_back(data: st.DataObject) -> None:
    bursts = [
        data.draw(st.lists(MILLISECONDS, min_size=2, max_size=10), label=f"channel {number}")
        for number in range(FMT.channels)
    ]
    audio = spoken(bursts)
    pieces = (
        regular(audio, data.draw(st.sampled_from([5, 20, 32, 100]), label="piece, ms"))
        if data.draw(st.booleans(), label="regular")
        else cut(audio, data.draw(st.lists(st.integers(0, len(audio))), label="cuts"))
    )
    flushes = data.draw(st.lists(st.integers(0, len(pieces)), max_size=3), label="flushes")
    for place in sorted(flushes, reverse=True):
        pieces.insert(place, None)
    interims = data.draw(st.booleans(), label="interims")
    failing = data.draw(st.sampled_from(["", "0123", "0123456789abcdef"]), label="failing")

    def fate(key: str) -> Fate:
        return "failed" if key[0] in failing else "transcribed"

    heard = hear(
        FMT,
        pieces,
        interims=interims,
        eager=True,
        vad_options=VAD,
        slowness=data.draw(st.integers(0, 8), label="slowness"),
        begins=data.draw(st.booleans(), label="begins"),
        fate=fate,
    )
    outcomes_of(heard)
    plain = hear(FMT, pieces, vad_options=VAD, fate=fate)
    for one, other in zip(heard.channels, plain.channels, strict=True):
        assert (one.vad, one.finals, one.failed) == (other.vad, other.finals, other.failed)
    assert heard.stopped == plain.stopped

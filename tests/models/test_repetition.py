"""Repeated words are told from a decoder's loop by the audio."""

import re
from typing import cast

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given
from hypothesis import strategies as st

from streamer.model import SegmentRequest, Unwanted
from streamer.models.moonshine.decoding import GreedyDecoder
from streamer.models.moonshine.graphs import sizes
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.repetition import CUT_FRAME, quietest_point, repeated_tokens
from streamer.models.moonshine.transcriber import SHORTEST_CUT_S, Moonshine
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import OnnxSession
from streamer.weights.manifest import require

RATE = Moonshine.sample_rate
FOLDER = require("moonshine-tiny-en")


@pytest.fixture(scope="module")
def model() -> Moonshine:
    return Moonshine(FOLDER)


@pytest.fixture(scope="module")
def beckett() -> Floats:
    samples, _ = soundfile.read(FOLDER / "beckett.wav", dtype="float32")
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def sentence() -> Floats:
    """The beginning of `A Tale of Two Cities`."""
    samples, rate = soundfile.read(FOLDER / "two_cities.wav", frames=48_000 * 4, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


@pytest.fixture(scope="module")
def phrases(beckett: Floats) -> dict[str, Floats]:
    """Cut from the recording at its pauses."""
    return {
        "no matter": beckett[55_920:67_472],
        "no": beckett[55_920:60_720],
        "fail again": beckett[106_096:118_672],
    }


def said(phrase: Floats, times: int, pause_s: float, then: Floats) -> Floats:
    """A phrase again and again, and something else after it."""
    pause = np.random.default_rng(1).normal(0, 1e-4, round(pause_s * RATE)).astype(np.float32)
    ramp = np.minimum(1, np.minimum(np.arange(len(phrase)), np.arange(len(phrase))[::-1]) / 80)
    return np.concatenate([*[phrase * ramp.astype(np.float32), pause] * times, pause, then])


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize(
    ("phrase", "times", "pause_s"),
    [
        ("no matter", 9, 0.2),
        ("no matter", 15, 0.1),
        ("fail again", 12, 0.2),
        ("no", 9, 0.2),
        ("no", 12, 0.3),
        ("no", 20, 0.25),
    ],
)
def test_what_follows_a_phrase_said_often_is_there(
    model: Moonshine,
    phrases: dict[str, Floats],
    sentence: Floats,
    phrase: str,
    times: int,
    pause_s: float,
) -> None:
    audio = said(phrases[phrase], times, pause_s, sentence)
    text = plain(str(model.infer(audio)["text"]))
    assert "best of times" in text
    # Recordings that were joined are not spoken evenly: some words come out as similar ones.
    before = len(text.split("it was the best")[0].split()) / len(phrase.split())
    assert 0.8 * times <= before <= 1.6 * times + 1


def test_every_repetition_is_counted(
    model: Moonshine, phrases: dict[str, Floats], sentence: Floats
) -> None:
    for times in (9, 12):
        audio = said(phrases["no matter"], times, 0.2, sentence)
        text = plain(str(model.infer(audio)["text"]))
        assert times <= text.count("no matter") <= times + 1


@pytest.mark.parametrize(
    ("tokens", "repeated"),
    [
        ([], 0),
        ([5] * 7, 0),
        ([3, 5, 5, 5, 5, 5, 5, 5, 5], 7),
        ([5] * 12, 11),
        ([9] + [1, 2, 3, 4] * 8, 28),
        ([1, 2] * 7 + [1, 3], 0),
        ([1, 2, 3, 4, 5] * 3, 0),
        ([1, 2, 3, 4, 5] * 4, 15),
        ([*range(16)] * 4, 48),
        ([*range(17)] * 4, 0),
    ],
)
def test_repetition_is_noticed(tokens: list[int], repeated: int) -> None:
    assert repeated_tokens(tokens) == repeated


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(8, 30), st.data())
def test_all_of_a_repetition_but_its_first_phrase_is_counted(
    unit: list[int], times: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(unit) - 1))
    tokens = [7, *unit * times, *unit[:cut]]
    counted = repeated_tokens(tokens)
    assert len(tokens) - 1 - len(unit) <= counted < len(tokens)
    assert not repeated_tokens(tokens[: len(tokens) - counted])


@pytest.mark.parametrize("at", [5_000, 7_000, 8_300])
def test_audio_is_cut_in_its_quietest_place(at: int) -> None:
    samples = np.random.default_rng(1).normal(0, 0.1, 15_000).astype(np.float32)
    samples[at : at + CUT_FRAME] *= 0.01
    assert abs(quietest_point(samples) - (at + CUT_FRAME / 2)) <= 160


class Looping:
    """A decoder that repeats two tokens for longer audio, and ends for shorter."""

    def __init__(self, longest_s: float) -> None:
        self.longest_s = longest_s
        self.lengths_s: list[float] = []
        self.steps = 0

    def encode(self, _: object, inputs: dict[str, Floats]) -> list[Floats]:
        self.lengths_s.append((len(inputs["samples"]) - 1_600) / RATE)
        return [np.zeros((1, 8, 1, 36), np.float32)] * 12

    def decode(self, _: object, inputs: dict[str, Floats]) -> list[object]:
        self.steps += 1
        first, count = int(inputs["position"][0]), inputs["tokens"].shape[1]
        scores = np.zeros((1, count, 32_768), np.float32)
        for row, position in enumerate(range(first, first + count)):
            ends = position == 4 and self.lengths_s[-1] <= self.longest_s
            scores[0, row, 2 if ends else (400, 401)[position % 2]] = 9
        return [scores, *[np.zeros((1, 8, first + count, 36), np.float32)] * 12]


def looping(model: Moonshine, monkeypatch: pytest.MonkeyPatch, longest_s: float) -> Looping:
    class Session:
        def __init__(self, run: object) -> None:
            self.run = run

    decoder = Looping(longest_s)
    network = DecoderNetwork(cast("OnnxSession", Session(decoder.decode)), sizes(FOLDER), [])
    monkeypatch.setattr(model, "_encoder", Session(decoder.encode))
    monkeypatch.setattr(model, "decoder", GreedyDecoder(network))
    monkeypatch.setattr(model, "_gate", None)
    return decoder


def test_audio_in_which_the_decoder_repeats_itself_is_decoded_in_pieces(
    model: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = looping(model, monkeypatch, 4.0)
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
    text = str(model.infer(noise)["text"])
    assert decoder.lengths_s[0] == 10
    pieces_s = [length_s for length_s in decoder.lengths_s if length_s <= 4]
    assert sum(pieces_s) == pytest.approx(10)
    assert len(text) == len(" ".join([model.text([400, 401] * 2)] * len(pieces_s)))


def test_a_loop_that_no_cut_ends_is_stopped_and_not_shown(
    model: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = looping(model, monkeypatch, 0.0)
    noise = np.random.default_rng(1).normal(0, 0.1, 20 * RATE).astype(np.float32)
    text = str(model.infer(noise)["text"])
    assert min(decoder.lengths_s) < SHORTEST_CUT_S
    pieces = sum(length_s < SHORTEST_CUT_S for length_s in decoder.lengths_s)
    assert len(text) <= len(" ".join([model.text([400, 401])] * pieces))
    assert decoder.steps < 700  # of about 2 ms


def test_a_result_that_is_not_needed_any_more_is_given_up_between_pieces(
    model: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = looping(model, monkeypatch, 0.0)
    monkeypatch.setattr(model, "unwanted", lambda: len(decoder.lengths_s) > 1)
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
    with pytest.raises(Unwanted):
        model.infer(noise)
    assert len(decoder.lengths_s) == 2


def test_what_is_given_up_in_a_piece_leaves_the_draft_of_the_whole(
    model: Moonshine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens of a piece are those of other audio."""
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE).astype(np.float32)
    drafts = []
    for pieces in (1, 2):
        decoder = looping(model, monkeypatch, 6.0)
        monkeypatch.setattr(model, "unwanted", lambda: len(decoder.lengths_s) > pieces)  # noqa: B023
        with pytest.raises(Unwanted) as stopped:
            model.infer_request(noise, SegmentRequest())
        assert len(decoder.lengths_s) == pieces + 1
        drafts.append(stopped.value.draft)
    assert drafts[0] == drafts[1]
    assert len(drafts[0]) > 4

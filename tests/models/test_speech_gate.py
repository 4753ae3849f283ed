"""Audio without speech gets an empty text, and no speech is lost for it."""

from collections.abc import Iterator
from functools import cache
from typing import cast

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.model import Dropped, SegmentRequest
from streamer.models.moonshine.gate import SpeechGate
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import MissingModel, require

RATE = Moonshine.sample_rate
TIMES_S = np.arange(4 * RATE) / RATE
NOISE = np.random.default_rng(1).normal(size=4 * RATE)
EMPTY = {"text": ""}


@cache
def model() -> Moonshine:
    return Moonshine(require("moonshine-tiny-en"))


@cache
def speech(name: str) -> Floats:
    samples, rate = soundfile.read(require("moonshine-tiny-en") / name, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def hum(frequency: float, harmonics: int, fall: float, shift: int = 1) -> Floats:
    """With shift 0, its harmonics are in phase: pulses."""
    parts = range(1, harmonics + 1)
    waves = [np.sin(2 * np.pi * frequency * k * TIMES_S + shift * k * k) / k**fall for k in parts]
    total = np.sum(waves, axis=0)
    return np.asarray(total / np.abs(total).max(), np.float32)


def coloured(power: float) -> Floats:
    """Noise whose spectrum falls with this power of the frequency."""
    spectrum = np.fft.rfft(NOISE)
    spectrum /= np.arange(1, len(spectrum) + 1) ** power
    noise = np.fft.irfft(spectrum)
    return np.asarray(0.3 * noise / np.abs(noise).max(), np.float32)


def dialled(digits: str) -> Floats:
    """The tones of telephone keys (ITU-T Q.23), 0.15 s each."""
    rows, columns = (697, 770, 852, 941), (1_209, 1_336, 1_477)
    tones = []
    for key in digits:
        row, column = divmod("123456789*0#".index(key), 3)
        both = [np.sin(2 * np.pi * hz * TIMES_S[:2_400]) for hz in (rows[row], columns[column])]
        tones += [0.2 * sum(both), np.zeros(1_600)]
    return np.asarray(np.concatenate(tones), np.float32)


SOUNDS = {
    "telephone keys": dialled("0123456789*#5550"),
    "zeros": 0 * TIMES_S,
    "dither": np.round(np.clip(NOISE, -1, 1)) / 32_768,
    "DC": 0.3 + 0 * TIMES_S,
    "DC and dither": 0.3 + np.round(np.clip(NOISE, -1, 1)) / 32_768,
    "white noise": 0.1 * NOISE,
    "quiet white noise": 3e-4 * NOISE,
    "pink noise": coloured(0.5),
    "brown noise": coloured(1.0),
    "clipped noise": np.clip(3 * NOISE, -1, 1),
    "tone": 0.3 * np.sin(2 * np.pi * 440 * TIMES_S),
    "square wave": 0.3 * np.sign(np.sin(2 * np.pi * 200 * TIMES_S)),
    "beeps": 0.3 * np.sin(2 * np.pi * 800 * TIMES_S) * (TIMES_S % 0.5 < 0.2),
    "clicks": 0.8 * (np.abs(NOISE) > 3.5),
    "one click": 0.8 * (np.arange(len(TIMES_S)) == 9_000),
    "hum that is switched on": hum(50, 9, 1) * (TIMES_S > 1) * 0.1,
    "hum on DC": 0.1 * hum(60, 7, 1) + 0.2,
    **{
        f"hum {frequency} {harmonics} {fall} {shift} {floor}": 0.1
        * hum(frequency, harmonics, fall, shift)
        + floor * NOISE
        for frequency in (50, 60)
        for harmonics, fall in ((1, 1), (7, 0), (7, 0.5), (7, 1), (20, 1), (60, 0))
        for shift in (0, 1)
        for floor in (0, 1e-4, 1e-3)
    },
}


@pytest.mark.parametrize("seconds", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("sound", SOUNDS)
def test_sounds_without_speech_say_nothing(sound: str, seconds: float) -> None:
    samples = SOUNDS[sound][: round(seconds * RATE)]
    for level in (1, 0.03):
        quantized = np.round(level * samples * 32_767) / 32_768
        assert model().gate(np.asarray(quantized, np.float32)) == EMPTY


@given(
    st.floats(45, 65),
    st.integers(1, 60),
    st.floats(0, 2),
    st.integers(0, 1),
    st.floats(1e-3, 1),
    st.floats(-0.3, 0.3),
)
@settings(max_examples=50)
def test_no_hum_says_anything(
    frequency: float, harmonics: int, fall: float, shift: int, level: float, offset: float
) -> None:
    samples = level * hum(frequency, harmonics, fall, shift)[: 2 * RATE] + np.float32(offset)
    assert model().gate(samples) == EMPTY


def pieces(samples: Floats, seconds: float) -> Iterator[Floats]:
    length = round(seconds * RATE)
    for at in range(0, len(samples), length):
        yield samples[at : at + length]


@pytest.mark.parametrize("level_db", [0, -20, -40, -50])
@pytest.mark.parametrize("seconds", [1.0, 4.0])
@pytest.mark.parametrize("name", ["beckett.wav", "two_cities.wav"])
def test_quiet_speech_is_inferred(name: str, seconds: float, level_db: float) -> None:
    """Every piece in which a tenth of a second is as loud as speech."""
    for piece in pieces(speech(name)[: 20 * RATE], seconds):
        loud = np.abs(piece) > 0.05
        quiet = np.round(piece * 10 ** (level_db / 20) * 32_768) / 32_768
        if loud.sum() > RATE / 10:
            assert model().gate(np.asarray(quiet, np.float32)) is None


def test_speech_beside_a_loud_click_is_inferred() -> None:
    piece = speech("two_cities.wav")[: 3 * RATE] * np.float32(0.003)
    piece[RATE // 2] = 1.0
    assert model().gate(piece) is None


def test_speech_in_noise_and_on_hum_is_inferred() -> None:
    piece = speech("two_cities.wav")[: 3 * RATE]
    level = np.sqrt(np.mean(np.square(piece)))
    for disturbance in (NOISE, hum(50, 7, 1)):
        scaled = disturbance[: len(piece)] / np.sqrt(np.mean(np.square(disturbance))) * level
        assert model().gate(np.asarray(piece + scaled, np.float32)) is None


def test_nothing_at_all_says_nothing() -> None:
    for length in (0, 1, 100, 1_000):
        assert model().gate(np.zeros(length, np.float32)) == EMPTY


def test_it_can_be_switched_off() -> None:
    ungated = Moonshine(require("moonshine-tiny-en"), gate=False)
    assert ungated.gate(np.zeros(RATE, np.float32)) is None


def test_without_the_network_steady_sounds_are_still_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise MissingModel(name)

    monkeypatch.setattr("streamer.models.moonshine.transcriber.require", missing)
    without = Moonshine(require("moonshine-tiny-en"))
    assert without.gate(np.zeros(RATE, np.float32)) == EMPTY
    assert without.gate(hum(50, 7, 1)) == EMPTY
    assert without.gate(np.asarray(SOUNDS["beeps"], np.float32)) is None


def test_a_segment_that_is_read_only_stays_as_it_is() -> None:
    piece = speech("beckett.wav")[:RATE].copy()
    before = piece.copy()
    piece.flags.writeable = False
    SpeechGate(None).may_hold_speech(piece)
    model().gate(piece)
    assert np.array_equal(piece, before)


class Network:
    """Gives the same probability to the first windows, and none to the others."""

    def __init__(self, probability: float, windows: int) -> None:
        self._given = [probability] * windows

    def start(self) -> None:
        return None

    def follow(self, samples: Floats, state: None) -> tuple[list[float], None]:
        count = (len(samples) - CONTEXT) // WINDOW
        given, self._given = self._given[:count], self._given[count:]
        return given + [0.0] * (count - len(given)), None


def gate_with(probability: float, windows: int) -> SpeechGate:
    return SpeechGate(cast("SileroNetwork", Network(probability, windows)))


@pytest.mark.parametrize(
    ("probability", "windows", "log_probabilities", "said"),
    [
        (0.9, 5, [-0.5], True),
        (0.9, 4, [-0.5], False),
        (0.69, 40, [-0.3, -0.4, -0.2], False),  # "Thank you for watching."
        (0.69, 40, [], False),  # of an interim
        (0.9, 40, [], True),
        (0.4, 2, [-0.01, -0.2, -0.1], True),  # a short "Yes."
    ],
)
def test_a_text_needs_speech_or_certainty(
    probability: float, windows: int, log_probabilities: list[float], said: bool
) -> None:
    audio = np.asarray(NOISE[: 2 * RATE], np.float32)
    gate = gate_with(probability, windows)
    assert gate.confirms(audio, log_probabilities) is said


@pytest.mark.parametrize("interim", [False, True])
def test_what_was_not_said_is_an_empty_text_that_counts_as_dropped(
    interim: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model(), "_gate", gate_with(0.5, 100))
    monkeypatch.setattr("streamer.models.moonshine.gate.MIN_CERTAIN_MEAN", 0.0)
    found = model().infer_request(
        speech("beckett.wav")[: 2 * RATE], SegmentRequest(interim=interim)
    )
    assert {name: value for name, value in found.items() if name != "draft"} == {"text": ""}
    assert isinstance(found, Dropped)


def test_certain_words_are_kept_whatever_the_gate_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model(), "_gate", gate_with(0.5, 100))
    found = model().infer(speech("two_cities.wav")[: 4 * RATE])
    assert "best of times" in str(found["text"])


@pytest.mark.parametrize("level_db", [0, -50])
@pytest.mark.parametrize("name", ["beckett.wav", "two_cities.wav"])
def test_short_quiet_words_are_confirmed(name: str, level_db: float) -> None:
    """Without any certainty of the model; pieces of 0.8 s with more than the end of a word."""
    gate = model()._gate
    assert gate is not None
    count = 0
    for piece in pieces(speech(name)[: 20 * RATE], 0.8):
        padded = np.pad(piece, (RATE // 2, RATE // 4)) * 10 ** (level_db / 20)
        quiet = np.asarray(np.round(padded * 32_768) / 32_768, np.float32)
        if (np.abs(piece) > 0.05).sum() > RATE / 100:
            count += 1
            assert gate.confirms(quiet, [])
    assert count > 2

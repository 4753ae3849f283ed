"""Audio without speech gets an empty text, and no speech is lost for it."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.models.moonshine.gate import SpeechGate
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
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
@settings(max_examples=50, deadline=None)
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

"""A decoder that ends at once in clear speech gets a second search; in noise, it stays silent."""

import math
import re
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from streamer.model import SegmentRequest
from streamer.models.moonshine.decoding import END_TOKEN, Decoded, TokenBias
from streamer.models.moonshine.second_search import (
    FIRST_TOKENS,
    FirstEndSuppressor,
    ended_at_once,
    second_search,
)
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require


@pytest.fixture(scope="module")
def base() -> Moonshine:
    return Moonshine(require("moonshine-base-en"))


@pytest.mark.parametrize("seconds", [11, 14, 17])
def test_speech_is_found_where_the_decoder_ends_at_once(base: Moonshine, seconds: int) -> None:
    path = require("moonshine-tiny-en") / "two_cities.wav"
    samples, rate = soundfile.read(path, frames=48_000 * seconds, dtype="float32")
    audio = np.asarray(soxr.resample(samples, rate, base.sample_rate), np.float32)
    assert ended_at_once(base.decoder.decode(base.encoder_caches(audio), 100))
    text = str(base.infer(audio)["text"]).lower()
    assert text.startswith("it was the best of times")
    assert text.count("it was the") >= seconds // 4


@pytest.mark.parametrize("sound", ["zeros", "noise"])
@pytest.mark.parametrize("silence_s", [0.8, 1.5, 5.0])
@pytest.mark.parametrize(
    ("name", "start_s", "end_s"), [("two_cities", 0.6, 5.0), ("beckett", 0, 10)]
)
def test_silence_before_speech_changes_no_words(
    base: Moonshine, name: str, start_s: float, end_s: float, silence_s: float, sound: str
) -> None:
    path = require("moonshine-tiny-en") / f"{name}.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    audio = np.asarray(soxr.resample(samples, rate, base.sample_rate), np.float32)
    speech = audio[int(start_s * base.sample_rate) : int(end_s * base.sample_rate)]
    silence = np.zeros(int(silence_s * base.sample_rate), np.float32)
    if sound == "noise":
        silence += np.random.default_rng(3).normal(0, 1e-3, len(silence)).astype(np.float32)
    alone = base.infer_request(speech, SegmentRequest(words=True))
    later = base.infer_request(np.concatenate([silence, speech]), SegmentRequest(words=True))
    first, expected = (_words_of(str(output["text"])) for output in (later, alone))
    assert first == expected
    assert isinstance(later["words"], list)
    assert isinstance(alone["words"], list)
    before_s = alone["words"][-1]["start_time"]
    assert later["words"][-1]["start_time"] == pytest.approx(before_s + silence_s, abs=0.1)


def _words_of(text: str) -> list[str]:
    return re.sub(r"[^a-z ]", "", text.lower()).split()


def test_a_sentence_that_is_said_again_and_again_is_there(base: Moonshine) -> None:
    path = require("moonshine-tiny-en") / "two_cities.wav"
    samples, rate = soundfile.read(path, frames=48_000 * 5, dtype="float32")
    audio = np.asarray(soxr.resample(samples, rate, base.sample_rate), np.float32)
    text = str(base.infer(np.resize(audio, 20 * base.sample_rate))["text"]).lower()
    assert text.count("best of times") >= 3


@pytest.mark.parametrize("kind", ["zeros", "noise", "hum", "clicks"])
def test_the_silent_decoder_stays_silent_where_nobody_speaks(base: Moonshine, kind: str) -> None:
    """Without the gate, which would not let them pass."""
    time_s = np.arange(48_000) / base.sample_rate
    sounds = {
        "zeros": np.zeros(48_000),
        "noise": np.random.default_rng(1).normal(0, 0.1, 48_000),
        "hum": np.sign(np.sin(2 * np.pi * 100 * time_s)) * 0.1,
        "clicks": (np.arange(48_000) % 8_000 == 0) * 0.8,
    }
    assert base.infer(sounds[kind].astype(np.float32)) == {"text": ""}


def scores(end: float) -> Floats:
    logits = np.full(16, -math.inf, np.float32)
    logits[END_TOKEN], logits[5] = math.log(end), math.log(1 - end)
    return logits


def test_only_the_first_token_cannot_be_the_end() -> None:
    bias: TokenBias = FirstEndSuppressor()
    first, second = scores(0.9), scores(0.9)
    bias.adjust(first)
    bias.chosen(5)
    bias.adjust(second)
    bias.chosen(END_TOKEN)
    assert first.argmax() == 5
    assert second.argmax() == END_TOKEN


@pytest.mark.parametrize(
    ("end", "ended", "log_probabilities", "found"),
    [
        (0.99, True, [-4.0, *[-0.1] * 12], True),
        (0.99, True, [-4.0, -0.1, -0.1], False),  # "Thank you."
        (0.99, False, [-4.0, *[-0.5] * 20], False),  # a loop
        (0.6, False, [-0.6] * 20, False),
        (0.99, False, [-4.0, *[-0.1] * 20], True),  # a sentence said again and again
        (0.6, True, [-1.0, -0.3], True),  # "Yes."
        (0.6, True, [], False),
    ],
)
def test_words_count_that_are_certain(
    end: float, ended: bool, log_probabilities: list[float], found: bool
) -> None:
    bias = FirstEndSuppressor()
    bias.adjust(scores(end))
    tokens = [5] * len(log_probabilities)
    decoded = Decoded(tokens, ended, [*log_probabilities, *([-0.1] if ended else [])])
    assert bias.found_words(decoded) is found


class Runs:
    """Counts the runs of a decoder's network."""

    def __init__(self, model: Moonshine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        decode = model.decoder.decode

        def counting(*args: Any, **options: Any) -> Decoded:
            decoded = decode(*args, **options)
            self.count += len(decoded.tokens) + decoded.ended
            return decoded

        monkeypatch.setattr(model.decoder, "decode", counting)


def test_an_interim_gets_no_second_search(base: Moonshine, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 80_000).astype(np.float32)
    runs = Runs(base, monkeypatch)
    assert base.infer_request(noise, SegmentRequest(interim=True)) == {"text": ""}
    assert runs.count == 1


def searched(end: float, log_probabilities: list[float]) -> tuple[bool, list[int]]:
    """Whether a search that would find such tokens finds words, and the limits it is given."""
    limits = []

    def search(bias: TokenBias, limit: int) -> Decoded:
        limits.append(limit)
        bias.adjust(scores(end))
        ended = limit > len(log_probabilities)
        found = log_probabilities[:limit]
        return Decoded([5] * len(found), ended, [*found, *([-0.1] if ended else [])])

    return second_search(search, 40) is not None, limits


@pytest.mark.parametrize(
    ("end", "log_probabilities", "expected"),
    [
        (0.99, [-4.0, *[-0.1] * 30], (True, [FIRST_TOKENS, 40])),
        (0.99, [-4.0, -0.1, -0.1], (False, [FIRST_TOKENS])),  # it has ended by then
        (0.99, [-0.1, -0.1, -0.1], (True, [FIRST_TOKENS])),
        (0.99, [-0.1, *[-0.6] * 30], (False, [FIRST_TOKENS])),
        (0.99, [-0.1, *[-0.4] * 5, *[-0.9] * 30], (False, [FIRST_TOKENS, 40])),
        (0.6, [-0.1, *[-0.6] * 30], (True, [FIRST_TOKENS, 40])),  # the end was unlikely
    ],
)
def test_a_few_tokens_are_judged_before_the_rest(
    end: float, log_probabilities: list[float], expected: tuple[bool, list[int]]
) -> None:
    assert searched(end, log_probabilities) == expected

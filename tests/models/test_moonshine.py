"""The transcriber's own graphs compute what the published ones compute, but for rounding."""

import jiwer
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import soundfile
import soxr

from streamer.models.moonshine import transcriber as moonshine
from streamer.models.moonshine.graphs import CACHES, DECODER, ENCODER, HEAD_SIZE, HEADS
from streamer.models.moonshine.transcriber import ENCODER_CACHES, Moonshine, max_tokens, padded
from streamer.onnx.runtime import supports_int8_products
from streamer.weights.manifest import require

FOLDER = require("moonshine-tiny-en")
Floats = npt.NDArray[np.float32]


@pytest.fixture(scope="module")
def model() -> Moonshine:
    return Moonshine(FOLDER)


@pytest.fixture(scope="module")
def speech() -> Floats:
    """Half a minute, float32 [n] at 16 kHz."""
    samples, rate = soundfile.read(FOLDER / "two_cities.wav", frames=48_000 * 30, dtype="float32")
    return np.asarray(soxr.resample(samples, rate, Moonshine.sample_rate), np.float32)


def published(samples: Floats) -> dict[str, Floats]:
    """What the published decoder keeps of the audio after its first step, by our names."""
    encoder, decoder = (
        onnxruntime.InferenceSession(str(FOLDER / name), providers=["CPUExecutionProvider"])
        for name in (ENCODER, DECODER)
    )
    mask = np.ones((1, len(samples)), np.int64)
    (hidden,) = encoder.run(None, {"input_values": samples[np.newaxis], "attention_mask": mask})
    empty = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)
    names = [value.name for value in decoder.get_inputs() if value.name.startswith("past")]
    outputs = [cache.replace(".", ".encoder.") for cache in CACHES]
    caches = decoder.run(
        [f"present.{output}" for output in outputs],
        {
            "encoder_hidden_states": hidden,
            "encoder_attention_mask": mask,
            "input_ids": np.array([[1]]),
            "use_cache_branch": np.array([False]),
            **dict.fromkeys(names, empty),
        },
    )
    return dict(zip(ENCODER_CACHES, caches, strict=True))


@pytest.mark.parametrize("seconds", [0.25, 1.0, 4.3, 11.0])
def test_the_decoder_hears_what_the_published_one_hears(
    model: Moonshine, speech: Floats, seconds: float
) -> None:
    """But for rounding, which quantization makes larger: to some hundredths of what there is."""
    samples = padded(speech[: round(seconds * Moonshine.sample_rate)])
    expected = published(samples)
    for name, found in zip(
        ENCODER_CACHES, model._encoder.run(None, {"samples": samples}), strict=True
    ):
        assert found.shape == expected[name].shape
        difference = found.astype(np.float32) - expected[name]
        error = np.linalg.norm(difference) / np.linalg.norm(expected[name])
        assert error < 0.1, name


def test_signed_weights_say_the_same_words(
    model: Moonshine, speech: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not supports_int8_products():
        pytest.skip("this processor does not add products of int8 without saturation")
    monkeypatch.setattr(moonshine, "supports_int8_products", lambda: False)
    unsigned = Moonshine(FOLDER)
    for begin in range(0, len(speech), 80_000):
        part = speech[begin : begin + 80_000]
        assert model.tokens(part) == unsigned.tokens(part)


def test_a_sentence_is_understood(model: Moonshine, speech: Floats) -> None:
    """The beginning of `A Tale of Two Cities`."""
    said = str(model.infer(speech[: 11 * Moonshine.sample_rate])["text"]).lower()
    words = "it was the best of times it was the worst of times it was the age of wisdom"
    assert jiwer.wer(words, " ".join(said.replace(",", "").split()[: len(words.split())])) < 0.2


def test_the_shortest_and_silence_are_no_trouble(model: Moonshine) -> None:
    for length in (1, 100, 4_000):
        assert isinstance(model.infer(np.zeros(length, np.float32))["text"], str)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_short_pieces_lose_no_last_words_to_the_token_limit(
    model: Moonshine, speech: Floats, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    length = round(seconds * Moonshine.sample_rate)
    pieces = [speech[at : at + length] for at in range(0, len(speech), length)]
    texts = [model.infer(piece) for piece in pieces]
    monkeypatch.setattr(moonshine, "max_tokens", lambda samples: 100)
    assert texts == [model.infer(piece) for piece in pieces]


@pytest.mark.parametrize(("speed", "seconds"), [(1.5, 4), (2.0, 4), (2.0, 7)])
def test_fast_speech_is_within_the_token_limit(
    model: Moonshine, speech: Floats, speed: float, seconds: int
) -> None:
    rate = Moonshine.sample_rate
    fast = np.asarray(soxr.resample(speech, rate * speed, rate), np.float32)
    for at in range(0, len(fast), seconds * rate):
        piece = fast[at : at + seconds * rate]
        assert len(model.tokens(piece)) < max_tokens(piece)


@pytest.mark.parametrize("text", ["♪ ♪", "...", "- -", ""])
def test_a_text_without_a_letter_or_digit_is_none(
    model: Moonshine, speech: Floats, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(model, "text", lambda _: text)
    assert model.infer(speech[:16_000]) == {"text": ""}

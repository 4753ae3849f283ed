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
from streamer.models.moonshine.transcriber import (
    ENCODER_CACHES,
    Moonshine,
    max_tokens,
    padded,
    repeated_tokens,
)
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


@pytest.mark.parametrize(
    ("tokens", "only_repeating"),
    [
        ([], 0),
        ([5] * 7, 0),
        ([3, 5, 5, 5, 5, 5, 5, 5, 5], 7),
        ([9] + [1, 2, 3, 4] * 8, 28),
        ([1, 2] * 7 + [1, 3], 0),
        ([1, 2, 3, 4, 5] * 8, 0),
    ],
)
def test_a_loop_is_known(tokens: list[int], only_repeating: int) -> None:
    assert repeated_tokens(tokens) == only_repeating


def test_what_ends_in_a_loop_is_decoded_again(
    model: Moonshine, speech: Floats, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = speech[:208_000]
    decoded: list[tuple[int, int]] = []
    loop = [7, *[8, 9] * 8]
    answers = iter([loop, [7, 8], loop, [5, *[6] * 8], loop, []])

    def decode(audio: Floats, limit: int) -> list[int]:
        decoded.append((len(audio) - len(sentence), limit))
        return next(answers)

    monkeypatch.setattr(model, "_decode", decode)
    assert model.tokens(sentence) == [7, 8]
    assert model.tokens(sentence) == [7, 8, 9]
    assert model.tokens(sentence) == [7, 8, 9]
    assert decoded == [(1_600, max_tokens(sentence)), (2_400, max_tokens(sentence))] * 3


def test_the_shortest_and_silence_are_no_trouble(model: Moonshine) -> None:
    for length in (1, 100, 4_000):
        assert isinstance(model.infer(np.zeros(length, np.float32))["text"], str)

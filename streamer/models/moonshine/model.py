"""Moonshine Tiny: English speech to text with an encoder, a decoder and greedy search.

Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024
(https://arxiv.org/abs/2410.15608). The encoder takes raw audio of any length, without padding it
to 30 seconds, so the cost grows with the length of what was said.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.memory import give_back
from streamer.model import Model, Unwanted
from streamer.models.moonshine import graphs
from streamer.models.moonshine.graphs import CACHES, HEAD_SIZE, HEADS
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.onnx.runtime import load, sums_int8

START_TOKEN = 1
END_TOKEN = 2
MAX_TOKENS_PER_SECOND = 6.5
"""Above this the decoder is repeating itself (the paper, section 4.2)."""

MIN_SAMPLES = 4_000
"""The encoder's strided convolutions need some audio; shorter segments are padded to 0.25 s."""

TRAILING_SILENCE = 1_600
"""Audio that stops in the middle of a sound loses its last word: 0.1 s of silence follows."""

MORE_SILENCE = 800
"""Before what is heard again, 0.05 s."""

LOOP_TOKENS, LOOP_TIMES = 4, 8
"""A loop is at most so many tokens, so often; nobody says a word eight times without a comma."""

Floats = npt.NDArray[np.float32]

PAST, HEARD = ([f"{of}.{cache}" for cache in CACHES] for of in ("past", "heard"))
EMPTY = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)


class Moonshine(Model):
    """The transcriber.

    Args:
        folder: Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
        threads: Threads within one inference. One for each worker shares a machine best.
    """

    sample_rate = 16_000
    max_seconds = 60.0
    """There are positions for 98 s (`transformer.MOST_POSITIONS`)."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        signed = sums_int8()
        self._encoder = load(graphs.encoder(folder, signed=signed), threads)
        self._decoder = load(graphs.decoder(folder, signed=signed), threads)
        self._tokenizer = Tokenizer.read(folder / "tokenizer.bin")
        give_back()

    def text(self, tokens: list[int]) -> str:
        """The words."""
        return self._tokenizer.decode(tokens)

    def infer(self, samples: Floats) -> dict[str, object]:
        """Transcribe float32 [n] at 16 kHz: `{"text": …}`."""
        return {"text": self.text(self.tokens(samples))}

    def tokens(self, samples: Floats) -> list[int]:
        """The most likely tokens, chosen greedily one after another.

        Now and then that ends in a loop, the same few tokens until the limit. Then the same audio
        with a little more silence is heard again, which mostly ends as it should.
        """
        tokens = self._said(samples, padded(samples))
        if repeating := repeats(tokens):
            again = self._said(samples, np.pad(padded(samples), (MORE_SILENCE, 0)))
            return again if again and not repeats(again) else tokens[:-repeating]
        return tokens

    def _said(self, samples: Floats, audio: Floats) -> list[int]:
        limit = most_tokens(samples)
        heard = self._encoder.run(None, {"samples": audio})
        inputs = dict(zip(HEARD, heard, strict=True)) | dict.fromkeys(PAST, EMPTY)
        tokens = [START_TOKEN]
        while len(tokens) <= limit:
            if self.unwanted():
                raise Unwanted
            inputs["token"] = np.array([tokens[-1:]])
            inputs["position"] = np.array([len(tokens) - 1])
            token, *present = self._decoder.run(None, inputs)
            if token == END_TOKEN:
                break
            tokens.append(int(token[0, 0]))
            if repeats(tokens):
                break
            inputs.update(zip(PAST, present, strict=True))
        return tokens[1:]


def most_tokens(samples: Floats) -> int:
    """So many can be said in float32 [n]."""
    return max(1, int(len(samples) / Moonshine.sample_rate * MAX_TOKENS_PER_SECOND))


def repeats(tokens: Sequence[int]) -> int:
    """How many tokens at the end only repeat those before them; 0 if it is not a loop."""
    for size in range(1, LOOP_TOKENS + 1):
        end = tokens[-size * LOOP_TIMES :]
        if len(end) == size * LOOP_TIMES and end[size:] == end[:-size]:
            return len(end) - size
    return 0


def padded(samples: Floats) -> Floats:
    """With the silence that is needed after it."""
    return np.pad(samples, (0, max(TRAILING_SILENCE, MIN_SAMPLES - len(samples))))

"""Moonshine Tiny: English speech to text with an encoder, a decoder and greedy search.

Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024
(https://arxiv.org/abs/2410.15608). The encoder takes raw audio of any length, without padding it
to 30 seconds, so the cost grows with the length of the segment.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streamer.memory import trim_heap
from streamer.model import Model, Unwanted
from streamer.models.moonshine import graphs
from streamer.models.moonshine.graphs import CACHES, HEAD_SIZE, HEADS
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import open_network, supports_int8_products

START_TOKEN = 1
END_TOKEN = 2
MAX_TOKENS_PER_SECOND = 6.5
"""Tokens. A decoder that produces more repeats itself (the paper, section 4.2)."""

MIN_SAMPLES = 4_000
"""Samples (0.25 s) to which shorter segments are padded: the encoder's strided convolutions need
them."""

TRAILING_SILENCE = 1_600
"""Samples (0.1 s) of silence after each segment: without it, audio that stops in the middle of a
sound loses its last word."""

RETRY_SILENCE = 800
"""Samples (0.05 s) of leading silence on the retry."""

MAX_LOOP_TOKENS, LOOP_REPEATS = 4, 8
"""A loop = 1 to 4 tokens repeated 8 times. People do not say a word eight times without a comma."""

PAST_CACHES, ENCODER_CACHES = ([f"{of}.{cache}" for cache in CACHES] for of in ("past", "encoder"))
"""Names of the decoder's inputs, in the order of `CACHES`."""
EMPTY_CACHE = np.zeros((1, HEADS, 0, HEAD_SIZE), np.float32)


class Moonshine(Model):
    """The transcriber.

    Args:
        folder: Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
        threads: Threads within one inference. One for each worker shares a machine best.
    """

    sample_rate = 16_000
    max_seconds = 60.0
    """Seconds. There are positions for 98 (`blocks.MAX_POSITIONS`)."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        signed = supports_int8_products()
        self._encoder = open_network(graphs.encoder(folder, signed=signed), threads)
        self._decoder = open_network(graphs.decoder(folder, signed=signed), threads)
        self._tokenizer = Tokenizer.read(folder / "tokenizer.bin")
        trim_heap()  # the files, and the graphs as bytes, are not needed any more

    def text(self, tokens: list[int]) -> str:
        """The text of tokens."""
        return self._tokenizer.decode(tokens)

    def infer(self, samples: Floats) -> dict[str, object]:
        """Transcribe float32 [n] at 16 kHz: `{"text": …}`."""
        return {"text": self.text(self.tokens(samples))}

    def tokens(self, samples: Floats) -> list[int]:
        """The most likely tokens, chosen greedily one after another.

        Sometimes the search ends in a loop: the same few tokens until the limit. Then it is tried
        once more with a little leading silence, which mostly avoids the loop.

        Raises:
            Unwanted: The result is not needed any more.
        """
        tokens = self._decode(padded(samples), max_tokens(samples))
        if repeated := repeated_tokens(tokens):
            retried = self._decode(np.pad(padded(samples), (RETRY_SILENCE, 0)), max_tokens(samples))
            return retried if retried and not repeated_tokens(retried) else tokens[:-repeated]
        return tokens

    def _decode(self, audio: Floats, limit: int) -> list[int]:
        """The tokens of `audio`, float32 [n]: until the end token, `limit` tokens, or a loop."""
        encoder_states = self._encoder.run(None, {"samples": audio})
        inputs = dict(zip(ENCODER_CACHES, encoder_states, strict=True))
        inputs |= dict.fromkeys(PAST_CACHES, EMPTY_CACHE)
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
            if repeated_tokens(tokens):
                break
            inputs.update(zip(PAST_CACHES, present, strict=True))
        return tokens[1:]


def max_tokens(samples: Floats) -> int:
    """Token limit for float32 [n]."""
    return max(1, int(len(samples) / Moonshine.sample_rate * MAX_TOKENS_PER_SECOND))


def repeated_tokens(tokens: Sequence[int]) -> int:
    """Number of tokens at the end that only repeat the ones before. 0 = no loop."""
    for size in range(1, MAX_LOOP_TOKENS + 1):
        end = tokens[-size * LOOP_REPEATS :]
        if len(end) == size * LOOP_REPEATS and end[size:] == end[:-size]:
            return len(end) - size
    return 0


def padded(samples: Floats) -> Floats:
    """Float32 [n] with the silence that the encoder needs after it."""
    return np.pad(samples, (0, max(TRAILING_SILENCE, MIN_SAMPLES - len(samples))))

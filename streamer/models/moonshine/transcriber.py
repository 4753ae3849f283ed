"""Moonshine Tiny and Base: English speech to text with encoder, decoder and greedy search.

Jeffries et al., "Moonshine: Speech Recognition for Live Transcription and Voice Commands", 2024
(https://arxiv.org/abs/2410.15608). The encoder takes raw audio of any length, without padding it
to 30 seconds, so the cost grows with the length of the segment.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from msgspec import structs
from threadpoolctl import threadpool_limits

from streamer.memory import trim_heap
from streamer.model import Dropped, Model, SegmentRequest, Unwanted
from streamer.models.moonshine import graphs
from streamer.models.moonshine.decoding import (
    Decoded,
    ExtraOutputs,
    GreedyDecoder,
    SearchStopped,
)
from streamer.models.moonshine.draft import from_bytes, to_bytes, vocabulary
from streamer.models.moonshine.exact_rows import rows_are_exact
from streamer.models.moonshine.gate import SpeechGate
from streamer.models.moonshine.key_terms_cache import KeyTermsCache
from streamer.models.moonshine.passes import DecoderNetwork
from streamer.models.moonshine.repetition import quietest_point, repeated_tokens
from streamer.models.moonshine.second_search import ended_at_once, second_search
from streamer.models.moonshine.tokenizer import Tokenizer
from streamer.models.moonshine.words import (
    Piece,
    confidence_of_segment,
    query_layers,
    read_word_times,
    timed_words,
    word_confidences,
)
from streamer.models.timed_word import TimedWord
from streamer.onnx.graph import Floats
from streamer.onnx.runtime import open_network, supports_int8_products
from streamer.vad.factory import SILERO_FOLDER
from streamer.vad.silero_network import SileroNetwork
from streamer.weights.manifest import MissingModel, require

BASE_TOKENS, MAX_TOKENS_PER_SECOND = 10, 8.0
"""Tokens: a decoder that produces more than both together repeats itself (the paper, section 4.2,
has 6.5 a second and no base). A second of audio has up to 12, and speech played at twice its speed
7.6 a second beyond the base."""

MIN_SAMPLES = 4_000
"""Samples (0.25 s) to which shorter segments are padded: the encoder's strided convolutions need
them."""

TRAILING_SILENCE = 1_600
"""Samples (0.1 s) of silence after each segment: without it, audio that stops in the middle of a
sound loses its last word."""

MIN_LEADING_SILENCE, LEAD_IN = 6_400, 3_200
"""Samples (0.4 s, 0.2 s). Where the decoder ends at once, and speech begins later than the first,
it gets the audio again, without what is before the second. With 0.8 s of zeros before them, Base
ends at once for 13 of 32 sentences; with 0.2 s for none."""

SHORTEST_CUT_S = 2.5
"""Seconds. Audio that is shorter is not cut to look closer at a repetition. In cut pieces of this
length the decoder found the sentence after 9 to 30 repetitions of six phrases in 72 of 72 cases; in
pieces of 4 s, in 71."""

LOOP_REPEATS = 3
"""Repetitions that are a loop in a short piece of audio, if the decoder does not end by itself."""


class Moonshine(Model):
    """The transcriber.

    Args:
        folder: Holds `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.
        threads: Threads within one inference. One for each worker shares a machine best.
        gate: Whether audio without speech gets an empty text instead of what the network invents.
    """

    sample_rate = 16_000
    languages = ("en",)
    uses_key_terms = True
    uses_drafts = True
    max_seconds = 60.0
    """Seconds. There are positions for 98 (`blocks.MAX_POSITIONS`)."""

    def __init__(self, folder: Path, threads: int = 1, *, gate: bool = True) -> None:
        signed = supports_int8_products()
        sizes = graphs.sizes(folder)
        self._cache_names = [f"encoder.{cache}" for cache in sizes.caches]
        self._word_times = read_word_times(folder, sizes)
        self.returns_words = self._word_times is not None
        layers = query_layers(self._word_times) if self._word_times else []
        threadpool_limits(1, user_api="blas")  # of NumPy: the matrices of words are small
        self._encoder = open_network(graphs.encoder(folder, signed=signed), threads)
        decoder = open_network(graphs.decoder(folder, signed=signed, query_layers=layers), threads)
        network = DecoderNetwork(decoder, sizes, layers)
        self.uses_drafts = rows_are_exact(network)  # else results would depend on them
        self.decoder = GreedyDecoder(network, guesses=self.uses_drafts)
        self._tokenizer = Tokenizer.read(folder / "tokenizer.bin")
        self._vocabulary = vocabulary(self._tokenizer.pieces)
        self._gate = SpeechGate(_silero()) if gate else None
        self._key_terms = KeyTermsCache(self._tokenizer.pieces)
        trim_heap()  # the files, and the graphs as bytes, are not needed any more

    def text(self, tokens: list[int]) -> str:
        """The text of tokens."""
        return self._tokenizer.decode(tokens)

    def gate(self, samples: Floats) -> dict[str, object] | None:
        """An empty text for float32 [n] at 16 kHz without speech; None for what may hold some."""
        return None if self._may_hold_speech(samples) else {"text": ""}

    def infer(self, samples: Floats) -> dict[str, object]:
        """Transcribe float32 [n] at 16 kHz: `{"text": …, "confidence": …}`.

        Raises:
            Unwanted: The result is not needed any more.
        """
        return self._observed(samples, SegmentRequest())[0]

    def infer_request(self, samples: Floats, request: SegmentRequest) -> dict[str, object]:
        """As `infer`, with the words if they are requested; an interim has neither.

        Key terms are for finals, and so is a second search: what they cost, interims would cost
        again and again.

        Raises:
            Unwanted: The result is not needed any more.
        """
        try:
            output, tokens = self._observed(samples, request)
        except SearchStopped as stopped:
            raise Unwanted(to_bytes(stopped.tokens, self._vocabulary)) from None
        if self.uses_drafts and tokens:
            output["draft"] = to_bytes(tokens, self._vocabulary)
        return output

    def _observed(
        self, samples: Floats, request: SegmentRequest
    ) -> tuple[dict[str, object], list[int]]:
        """The fields of float32 [n], and the tokens."""
        draft = from_bytes(request.draft, self._vocabulary, len(self._tokenizer.pieces))
        pieces = [*self._pieces(samples, request, draft)]
        tokens = [token for piece in pieces for token in piece.tokens]
        text = " ".join(filter(None, (self.text(piece.tokens) for piece in pieces)))
        # Notes and dots alone are what the network has for sounds without words.
        output: dict[str, object] = {"text": text if any(map(str.isalnum, text)) else ""}
        if output["text"] and not self._confirmed(samples, pieces):
            return Dropped(text=""), tokens
        if output["text"] and not request.interim:
            output["confidence"] = confidence_of_segment(
                [each for piece in pieces for each in word_confidences(self._tokenizer, piece)]
            )
        if request.words and output["text"]:
            words = self._words(pieces, request.speech_start_s)
            output["words"] = [structs.asdict(word) for word in words]
        return output, tokens

    def tokens(self, samples: Floats) -> list[int]:
        """The most likely tokens of float32 [n], chosen greedily one after another."""
        return self._decode(samples, SegmentRequest(), (), stop_at_repetition=False).tokens

    def _confirmed(self, samples: Floats, pieces: Sequence[Piece]) -> bool:
        """Whether the gate takes the text of float32 [n] for speech."""
        found = [
            each
            for piece in pieces
            for each in piece.decoded.log_probabilities[: len(piece.tokens)]
        ]
        return self._gate is None or self._gate.confirms(samples, found)

    def _words(self, pieces: Sequence[Piece], speech_start_s: float) -> list[TimedWord]:
        assert self._word_times is not None  # else they are never requested
        return [
            word
            for piece in pieces
            for word in timed_words(self._tokenizer, piece, self._word_times, speech_start_s)
        ]

    def _pieces(
        self, samples: Floats, request: SegmentRequest, draft: Sequence[int], start_s: float = 0.0
    ) -> Iterator[Piece]:
        """The transcript of float32 [n] in pieces: one, unless the decoder repeats itself.

        Then the audio is cut into shorter and shorter pieces, until the decoder ends each by
        itself. Repetition that was spoken is in the pieces, too; a loop mostly is not.
        """
        short = len(samples) < SHORTEST_CUT_S * self.sample_rate
        decoded = self._decode(samples, request, draft, stop_at_repetition=not short)
        if ended_at_once(decoded) and (silence := self._leading_silence(samples)):
            silence_s = silence / self.sample_rate
            yield from self._pieces(samples[silence:], request, draft, start_s + silence_s)
        elif decoded.ended or short:
            looped = 0 if decoded.ended else repeated_tokens(decoded.tokens, repeats=LOOP_REPEATS)
            tokens = decoded.tokens[: len(decoded.tokens) - looped]
            yield Piece(tokens, decoded, start_s, len(samples) / self.sample_rate)
        else:
            cut = quietest_point(samples)
            cut_s = start_s + cut / self.sample_rate
            halves = ((samples[:cut], decoded.tokens, start_s), (samples[cut:], (), cut_s))
            try:
                for piece, found, piece_start_s in halves:
                    if self._may_hold_speech(piece):
                        yield from self._pieces(piece, request, found, piece_start_s)
            except SearchStopped:  # the tokens of a half are no draft for the whole
                raise SearchStopped(decoded.tokens) from None

    def _leading_silence(self, samples: Floats) -> int:
        """Samples at the start of float32 [n] that can be left out; 0 if there are few."""
        start = self._gate.speech_start(samples) if self._gate else 0
        return start - LEAD_IN if start >= MIN_LEADING_SILENCE else 0

    def _may_hold_speech(self, samples: Floats) -> bool:
        return self._gate is None or self._gate.may_hold_speech(samples)

    def _decode(
        self,
        samples: Floats,
        request: SegmentRequest,
        draft: Sequence[int],
        *,
        stop_at_repetition: bool,
    ) -> Decoded:
        """The tokens of float32 [n]: until the end token, `max_tokens`, or a repetition."""
        caches = self.encoder_caches(samples)
        phrases = () if request.interim else request.key_terms
        search = partial(
            self.decoder.decode,
            caches,
            stop_at_repetition=stop_at_repetition,
            unwanted=self.unwanted,
            extra=ExtraOutputs(log_probabilities=not request.interim, attention=request.words),
            key_terms=self._key_terms.get(phrases) if phrases else None,
            draft=draft,
        )
        limit = max_tokens(samples)
        decoded = search(limit)
        if request.interim or not ended_at_once(decoded) or self._leading_silence(samples):
            return decoded  # without the silence, it gets another search
        second = second_search(lambda bias, tokens: search(tokens, bias=bias), limit)
        return second or decoded

    def encoder_caches(self, samples: Floats) -> dict[str, Floats]:
        """The decoder's keys and values for float32 [n], by name."""
        caches = self._encoder.run(self._cache_names, {"samples": padded(samples)})
        return dict(zip(self._cache_names, cast("Sequence[Floats]", caches), strict=True))


def _silero() -> SileroNetwork | None:
    """The network of the gate; None without its weights, which not every configuration needs."""
    try:
        (weights,) = require(SILERO_FOLDER).glob("*.onnx")
    except MissingModel:
        return None
    return SileroNetwork(weights)


def max_tokens(samples: Floats) -> int:
    """Token limit for float32 [n]."""
    return BASE_TOKENS + int(len(samples) / Moonshine.sample_rate * MAX_TOKENS_PER_SECOND)


def padded(samples: Floats) -> Floats:
    """Float32 [n] with the silence that the encoder needs after it."""
    return np.pad(samples, (0, max(TRAILING_SILENCE, MIN_SAMPLES - len(samples))))

"""The fields of OpenAI's audio forms, and what of it an answer has a place for. Pure.

https://platform.openai.com/docs/api-reference/audio
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamer.config.key_terms import KeyTerms
from streamer.config.segmentation import MinSilenceMs, PrefixPaddingMs, Probability
from streamer.protocol.requests import VadOptions

WORDS_FIELD = "timestamp_granularities[]=word"
"""In sentences, for the fields that request the times of words."""

Temperature = Annotated[float, Meta(ge=0, le=1)]


class ChunkingStrategy(msgspec.Struct, frozen=True, kw_only=True):
    """How the recording is cut. `auto`: as the server is configured."""

    type: Literal["auto", "server_vad"]
    prefix_padding_ms: PrefixPaddingMs | None = None
    silence_duration_ms: MinSilenceMs | None = None
    threshold: Probability | None = None

    def options(self) -> VadOptions:
        """The same in the names of this server."""
        return VadOptions(
            prefix_padding_ms=self.prefix_padding_ms,
            min_silence_ms=self.silence_duration_ms,
            threshold=self.threshold,
        )


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The fields beside `file`.

    `temperature` changes nothing. Names and unusual words in `prompt` are key terms. `keyterms` is
    this server's own; `vad_filter`, `word_timestamps`, `task`, `translate` and `to_language` are
    those of other servers.
    """

    model: str | None = None
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt"] = "json"
    stream: bool = False
    language: str | None = None
    languages: list[str] = []
    prompt: str | None = None
    keyterms: KeyTerms = ()
    temperature: Temperature = 0.0
    timestamp_granularities: list[Literal["segment", "word"]] = []
    include: list[str] = []
    chunking_strategy: ChunkingStrategy | None = None
    vad_filter: bool = True
    word_timestamps: bool = False
    task: Literal["transcribe", "translate"] = "transcribe"
    translate: bool = False
    to_language: str | None = None

    @property
    def asks_for_words(self) -> bool:
        """Whether the answer has a place for the times of words, and they are requested."""
        return self._words_named and self.response_format == "verbose_json" and not self.stream

    @property
    def asks_for_logprobs(self) -> bool:
        """Whether the answer has a place for log probabilities, and they are requested."""
        return self._logprobs_named and (self.stream or self.response_format == "json")

    @property
    def without_place(self) -> list[str]:
        """A sentence for each thing that is requested, and for which the answer has no place.

        Subtitles begin and end with words, and so have their times.
        """
        subtitles = self.response_format in ("srt", "vtt") and not self.stream
        found = []
        if self._words_named and not self.asks_for_words and not subtitles:
            text = "only verbose_json without 'stream' has a place for the times of words"
            found.append(f"'{WORDS_FIELD}' was ignored: {text}")
        if self._logprobs_named and not self.asks_for_logprobs:
            text = "only json and the events of a stream have a place for log probabilities"
            found.append(f"'include[]=logprobs' was ignored: {text}")
        return found

    @property
    def _words_named(self) -> bool:
        return self.word_timestamps or "word" in self.timestamp_granularities

    @property
    def _logprobs_named(self) -> bool:
        return "logprobs" in self.include

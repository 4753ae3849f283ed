"""What a client's `RecognitionConfig` means here. Pure.

Google's and NVIDIA's have the same names, with other numbers. Refused is only what would give wrong
text, or none: other encodings, other languages. What else means nothing here has no effect.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from streamer.audio.format import AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ServedModel
from streamer.http.languages import is_automatic, language_of
from streamer.protocol.requests import BadRequest, Start, VadOptions
from streamer.rpc.recognition.encodings import Encoding
from streamer.rpc.recognition.incoming_audio import DeclaredAudio

MAX_PHRASES = 2 * MAX_KEY_TERMS
"""Phrases that are looked at; those that are no key terms are left out."""

LONGEST_SILENCE_MS = 10_000
"""Milliseconds: the largest `min_silence_ms`."""

_CLASS = re.compile(r"\$[A-Z]")
"""The name of a class of words begins, such as `$MONTH` of Google's; it is no text."""


class Phrase(NamedTuple):
    """Words that are likely, with the weight that the client gives them."""

    text: str
    boost: float


class Asked(NamedTuple):
    """What a client asks for.

    Attributes:
        model: One of the server's.
        language: As the client names it, if it is the model's; "" = it leaves it to the server.
        key_terms: Names and rare words.
        word_times: Whether final results have words with their times.
        word_confidence: Whether they have words with their confidence.
        punctuated: Whether transcripts have punctuation and capitals.
        min_silence_ms: Of silence that ends a segment; None = as configured.
        ignored: Fields of the client without an effect.
    """

    model: ServedModel
    language: str
    key_terms: tuple[str, ...]
    word_times: bool
    word_confidence: bool
    punctuated: bool
    min_silence_ms: int | None = None
    ignored: tuple[str, ...] = ()

    def start(self, audio: AudioFormat, configured: VadConfig, *, interims: bool) -> Start:
        """The request for a stream with these settings.

        Args:
            audio: Its format.
            configured: The settings of the server.
            interims: Whether the client wants results that are not final.
        """
        silence_ms = self.min_silence_ms
        if silence_ms is not None:
            # Models that get word after word take shorter pauses than one that gets segments.
            least = configured.least_endpointing_ms
            silence_ms = min(max(silence_ms, least), LONGEST_SILENCE_MS)
        return Start(
            format=audio,
            interim_results=interims,
            vad=VadOptions(min_silence_ms=silence_ms),
            model=self.model.name,
            words=self.word_times or self.word_confidence,
            keyterms=self.key_terms,
        )


def declared_audio(config: Any, encoding: Encoding) -> DeclaredAudio:  # noqa: ANN401 – a message
    """What a `RecognitionConfig` says of the audio.

    Args:
        config: The message.
        encoding: The one that it names.
    """
    return DeclaredAudio(
        encoding,
        config.sample_rate_hertz,
        config.audio_channel_count,
        config.enable_separate_recognition_per_channel,
    )


def model_named(name: str, models: Sequence[ServedModel]) -> ServedModel:
    """The model with this name; the first for every name that is not ours."""
    return next((model for model in models if model.name == name), models[0])


def spoken_language(named: Iterable[str], model: ServedModel) -> str:
    """The first of some languages that a model speaks; "" = any will do.

    Args:
        named: As the client names them.
        model: The one that is to speak it.

    Raises:
        BadRequest: It speaks none of them.
    """
    given = [name for name in named if name.strip()]
    for name in given:
        language = language_of(name)
        if is_automatic(name):
            return ""
        if not model.languages or (language and language.code in model.languages):
            return name
    if not given:
        return ""
    allowed = ", ".join((*model.languages, "multi"))
    raise BadRequest(
        "bad_message",
        f"'config.language_code' is {show(', '.join(given))}; allowed with the model "
        f"{model.name}: {allowed}",
    )


def key_terms(phrases: Iterable[Phrase]) -> tuple[str, ...]:
    """The key terms among phrases, each once; one that is to be less likely is none."""
    likely = (phrase.text.strip() for phrase in islice(phrases, MAX_PHRASES) if phrase.boost >= 0)
    terms = (text for text in likely if is_key_term(text) and not _CLASS.search(text))
    return tuple(dict.fromkeys(terms))[:MAX_KEY_TERMS]


def context_phrases(config: Any) -> Iterable[Phrase]:  # noqa: ANN401 – a message
    """The phrases of the `speech_contexts` of a `RecognitionConfig`."""
    for context in config.speech_contexts:
        for text in context.phrases:
            yield Phrase(text, context.boost)


def unused(config: Any, names: Sequence[str]) -> tuple[str, ...]:  # noqa: ANN401 – a message
    """Which of some fields without an effect a client has set, in order."""
    given = [field.name for field, _ in config.ListFields()]
    return tuple(
        name
        for name in names
        if name in given and (name != "max_alternatives" or config.max_alternatives > 1)
    )

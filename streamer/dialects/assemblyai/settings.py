"""The settings of a session of AssemblyAI's: of its query, and of `UpdateConfiguration`. Pure.

https://www.assemblyai.com/docs/api-reference/streaming-api/streaming-api

In a query all values are text, and lists are JSON; in a message they are JSON. Both are read alike,
and a value that means nothing has no effect. Refused is only what would give wrong text: other
encodings, other languages, and raw audio whose sample rate is not known.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from streamer.audio.format import CONTAINER, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ServedModel
from streamer.http.languages import is_automatic, language_of
from streamer.http.openai_form import NO, YES
from streamer.protocol.requests import VadOptions

ENCODINGS: Mapping[str, AudioFormat] = {
    "pcm_s16le": AudioFormat(16_000),
    "pcm_mulaw": AudioFormat(8_000, bit_depth=8, encoding="mulaw"),
}
"""All but the sample rate is that of the audio."""

CONTAINERS = ("ogg_opus", "aac")
"""Encodings of audio that says itself what it is: the pipeline decodes it, mixing its channels."""

LANGUAGES = ("language_codes", "language_code", "language")
MIN_SILENCE = ("min_turn_silence", "min_end_of_turn_silence_when_confident")
KEY_TERMS = ("keyterms_prompt", "keyterms")
"""Each with the names that it had before."""

KNOWN = frozenset(
    {*LANGUAGES, *MIN_SILENCE, *KEY_TERMS, "max_turn_silence", "vad_threshold", "format_turns"}
    | {"sample_rate", "encoding", "speech_model", "language_detection", "inactivity_timeout"}
    | {"token"}
)
"""Options with an effect."""

MAX_TEXTS = 2 * MAX_KEY_TERMS
"""Items of a list of key terms that are looked at; those that are none are left out."""

LONGEST_SILENCE_MS = 10_000
LEAST_THRESHOLD, MOST_THRESHOLD = 0.01, 0.99
"""The ranges of `VadOptions`."""

LEAST_INACTIVITY_S, MOST_INACTIVITY_S = 5.0, 3_600.0
"""Seconds: the range of `inactivity_timeout`, as AssemblyAI has it."""


class SettingRefused(Exception):
    """A setting would give wrong text; the message has its name, its value and what is allowed."""


class TurnSettings(NamedTuple):
    """What a client may change while it streams; None = it has not given it.

    Attributes:
        min_silence_ms: Silence that ends a turn.
        max_silence_ms: Silence that ends every turn.
        threshold: Of the detector.
        key_terms: Names and rare words.
        formatted: Whether transcripts have punctuation and capitals.
    """

    min_silence_ms: float | None = None
    max_silence_ms: float | None = None
    threshold: float | None = None
    key_terms: tuple[str, ...] | None = None
    formatted: bool | None = None

    def over(self, others: "TurnSettings") -> "TurnSettings":
        """Other settings with these laid over them."""
        given = {name: value for name, value in self._asdict().items() if value is not None}
        return others._replace(**given)

    def vad_options(self, configured: VadConfig) -> VadOptions:
        """The settings of the segmentation, in its ranges.

        Args:
            configured: Those of the server.
        """
        silence_ms = self.min_silence_ms
        if silence_ms is None and self.max_silence_ms is not None:
            silence_ms = min(configured.min_silence_ms, self.max_silence_ms)
        if silence_ms is not None:
            # Models that get word after word take shorter pauses than one that gets segments.
            silence_ms = _within(silence_ms, configured.least_endpointing_ms, LONGEST_SILENCE_MS)
        threshold = self.threshold
        if threshold is not None:
            threshold = _within(threshold, LEAST_THRESHOLD, MOST_THRESHOLD)
        return VadOptions(
            threshold=threshold,
            min_silence_ms=None if silence_ms is None else round(silence_ms),
        )


def turn_settings(given: Mapping[str, object]) -> TurnSettings:
    """The settings among the fields of a message, or the options of a query."""
    return TurnSettings(
        min_silence_ms=_number(_first(given, MIN_SILENCE)),
        max_silence_ms=_number(given.get("max_turn_silence")),
        threshold=_number(given.get("vad_threshold")),
        key_terms=_key_terms(_first(given, KEY_TERMS)),
        formatted=_truth(given.get("format_turns")),
    )


class SessionQuery:
    """A query that has been read.

    Args:
        items: Names and values, decoded, in order.
        models: Of this server; the first one is the default.

    Attributes:
        format: Of the audio.
        model: The one that `speech_model` names; the first for every name that is not ours.
        turns: What may be changed later.
        inactivity_s: Seconds without a message that close the socket; None = not given.
        ignored: Options without an effect here, sorted.

    Raises:
        SettingRefused: It asks for something that would be done wrongly.
    """

    def __init__(self, items: Iterable[tuple[str, str]], models: Sequence[ServedModel]) -> None:
        given = {name: value.strip() for name, value in items if value.strip()}
        by_name = {model.name: model for model in models}
        self.model = by_name.get(given.get("speech_model", ""), models[0])
        self.format = _format(given)
        self.turns = turn_settings(given)
        seconds = _number(given.get("inactivity_timeout"))
        self.inactivity_s = (
            None if seconds is None else _within(seconds, LEAST_INACTIVITY_S, MOST_INACTIVITY_S)
        )
        self.ignored = sorted(given.keys() - KNOWN)
        _check_languages(given, self.model)


def _format(given: Mapping[str, str]) -> AudioFormat:
    name = given.get("encoding", "pcm_s16le")
    if name.lower() in CONTAINERS:
        return msgspec.structs.replace(CONTAINER, channels=1)
    usual = ENCODINGS.get(name.lower())
    if usual is None:
        allowed = ", ".join((*ENCODINGS, *CONTAINERS))
        text = f"'encoding' is {show(name)}; allowed: {allowed}"
        if name.lower() == "opus":
            text += ". Packets of Opus need a container: ogg_opus"
        raise SettingRefused(text)
    rate = given.get("sample_rate")
    hertz = _number(rate)
    if hertz is None or not MIN_SAMPLE_RATE <= hertz <= MAX_SAMPLE_RATE or hertz % 1:
        what = "is missing" if rate is None else f"is {show(rate)}"
        allowed = f"a whole number from {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
        raise SettingRefused(f"'sample_rate' {what}; allowed: {allowed}")
    return msgspec.structs.replace(usual, sample_rate=int(hertz))


def _check_languages(given: Mapping[str, str], model: ServedModel) -> None:
    """One of the languages that are given has to be spoken."""
    for field in LANGUAGES:
        named = [*_texts(given.get(field))]
        spoken = model.languages
        if spoken and named and not any(is_automatic(n) or _is_spoken(n, spoken) for n in named):
            text = f"'{field}' is {show(', '.join(named))}"
            raise SettingRefused(
                f"{text}; allowed with the model {model.name}: {', '.join((*spoken, 'multi'))}"
            )


def _is_spoken(name: str, spoken: Sequence[str]) -> bool:
    language = language_of(name)
    return language is not None and language.code in spoken


def _first(given: Mapping[str, object], names: Sequence[str]) -> object:
    return next((given[name] for name in names if given.get(name) is not None), None)


def _number(value: object) -> float | None:
    """A finite number from 0; None = it is something else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _truth(value: object) -> bool | None:
    word = str(value).lower() if isinstance(value, bool | int | str) else ""
    return True if word in YES else False if word in NO else None


def _key_terms(value: object) -> tuple[str, ...] | None:
    """The terms in a list or in one text, each once; None = it is something else."""
    if not isinstance(value, list | str):
        return None
    texts = map(str.strip, islice(_texts(value), MAX_TEXTS))
    return tuple(dict.fromkeys(filter(is_key_term, texts)))[:MAX_KEY_TERMS]


def _texts(value: object) -> Iterator[str]:
    """The texts in a list, in a list written as JSON, or in a text."""
    if isinstance(value, str):
        try:
            found = msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            found = value
        value = found if isinstance(found, list) else [value]
    if isinstance(value, list):
        yield from (text for text in value if isinstance(text, str))


def _within(value: float, least: float, most: float) -> float:
    return min(max(value, least), most)

"""The query of Deepgram's `listen` addresses, in the words of this server. Pure.

https://developers.deepgram.com/reference/speech-to-text, `listen-streaming` and
`listen-pre-recorded`.
Programs send many options; those that are not here have no effect, and are not refused. Refused is
only what would give wrong text, or none: other encodings, other languages, results sent elsewhere.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from streamer.audio.format import AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.http.languages import is_automatic, language_of
from streamer.http.openai_form import YES
from streamer.inference.pool import WorkerPool

ENCODINGS: Mapping[str, AudioFormat] = {
    "linear16": AudioFormat(16_000),
    "linear32": AudioFormat(16_000, bit_depth=32, is_float=True),
    "mulaw": AudioFormat(8_000, bit_depth=8, encoding="mulaw"),
    "alaw": AudioFormat(8_000, bit_depth=8, encoding="alaw"),
}
"""Of raw audio, each with the sample rate that is taken if the query has none."""

CONTAINERS = ("ogg-opus", "flac")
"""Encodings of audio that says itself what it is, as without an encoding."""

KNOWN = frozenset(
    {"model", "language", "language_hint", "encoding", "sample_rate", "channels", "multichannel"}
    | {"punctuate", "smart_format", "keyterm", "keywords", "interim_results", "endpointing"}
    | {"vad_events", "utterance_end_ms", "utterances", "callback", "token"}
    | {"eot_threshold", "eager_eot_threshold", "eot_timeout_ms"}
)
"""Options with an effect on some address."""

NAMES = {name: name for name in ("sample_rate", "channels")} | {
    "bit_depth": "encoding",
    "is_float": "encoding",
}
"""What the query calls each field of an `AudioFormat`."""

_WEIGHTED = re.compile(r"(.*):([+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+))", re.DOTALL)
"""A keyword with its boost. Each digit can be matched in one way only: clients without a credential
may send long ones."""

_NUMBER = re.compile(r"([0-9]{1,9})(\.0*)?")


class QueryRefused(Exception):
    """An option would give wrong text, or none.

    Attributes:
        field: Name of the option.
        message: One sentence: the option, its value and what is allowed.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class ServedModel(NamedTuple):
    """What clients of this protocol get to see of a model.

    Attributes:
        name: As clients of every protocol call it.
        kind: Its `type` in the configuration.
        languages: Codes of ISO 639-1; empty = it is believed to have the language asked for.
    """

    name: str
    kind: str
    languages: Sequence[str] = ()


def served_models(pools: Iterable[WorkerPool]) -> list[ServedModel]:
    """What clients get to see of the models."""
    return [ServedModel(pool.spec.name, pool.spec.type, pool.languages) for pool in pools]


class ListenQuery:
    """A query that has been read.

    Args:
        items: Names and values, decoded, in order.
        models: Of this server; the first one is the default.

    Attributes:
        model: The one that is meant by `model`; the first for every name that is not ours.
        format: Of raw audio; None without `encoding`: the audio says itself what it is.
        in_container: Whether the encoding demands that it does.
        sample_rate: In Hz, as given; None = not given.
        channels: As given, from 1.
        mixed: Whether several channels become one transcript.
        punctuated: Whether transcripts have punctuation and capitals.
        key_terms: Names and rare words.
        ignored: Options without an effect here, sorted.

    Raises:
        QueryRefused: It asks for something that would be done wrongly.
    """

    def __init__(self, items: Iterable[tuple[str, str]], models: Sequence[ServedModel]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in items:
            self._values.setdefault(name.removesuffix("[]"), []).append(value)
        by_name = {model.name: model for model in models}
        self.model = by_name.get(self.text("model") or "", models[0])
        self.sample_rate = self._positive("sample_rate")
        self.channels = self._positive("channels") or 1
        self.in_container = (self.text("encoding") or "").lower() in CONTAINERS
        self.format = self._format()
        self.mixed = self.channels > 1 and not self.true("multichannel")
        self.punctuated = self.true("punctuate") or self.true("smart_format")
        self.key_terms = tuple(self._key_terms())
        self.ignored = sorted(self._values.keys() - KNOWN)
        self._check_languages()
        if self.text("callback"):
            text = "'callback' is given: results are sent on this connection only"
            raise QueryRefused("callback", text)

    def text(self, name: str) -> str | None:
        """The last value of an option; None = it is absent or empty."""
        values = [value for value in self._values.get(name, ()) if value.strip()]
        return values[-1].strip() if values else None

    def true(self, name: str) -> bool:
        """Whether an option is switched on."""
        return (self.text(name) or "").lower() in YES

    def number(self, name: str) -> int | None:
        """An option that is a whole number from 0; None = it is absent or something else."""
        found = _NUMBER.fullmatch(self.text(name) or "")
        return int(found[1]) if found else None

    def _positive(self, name: str) -> int | None:
        given = self.text(name)
        if given is None:
            return None
        value = self.number(name)
        if not value:
            raise QueryRefused(name, f"'{name}' is {show(given)}; allowed: a whole number from 1")
        return value

    def _format(self) -> AudioFormat | None:
        name = self.text("encoding")
        if name is None or self.in_container:
            return None
        usual = ENCODINGS.get(name.lower())
        if usual is None:
            allowed = ", ".join((*ENCODINGS, *CONTAINERS))
            text = f"'encoding' is {show(name)}; allowed: {allowed}"
            if name.lower() == "opus":
                text += ". Packets of Opus need a container: Ogg or WebM, without 'encoding'"
            raise QueryRefused("encoding", text)
        return AudioFormat(
            self.sample_rate or usual.sample_rate,
            self.channels,
            usual.bit_depth,
            usual.is_float,
            usual.encoding,
        )

    def _key_terms(self) -> Iterable[str]:
        """Terms of both options, each once; a keyword that is to be less likely is none."""
        weighted = (_WEIGHTED.fullmatch(text) for text in self._values.get("keywords", ()))
        keywords = [
            found[1] if found else text
            for text, found in zip(self._values.get("keywords", ()), weighted, strict=True)
            if not found or float(found[2]) > 0
        ]
        given = (text.strip() for text in (*self._values.get("keyterm", ()), *keywords))
        return [term for term in dict.fromkeys(given) if is_key_term(term)][:MAX_KEY_TERMS]

    def _check_languages(self) -> None:
        spoken = self.model.languages
        if not spoken:
            return
        given = [*self._values.get("language", ()), *self._values.get("language_hint", ())]
        named = [name for name in given if name.strip()]
        if named and not any(is_automatic(name) or _is_spoken(name, spoken) for name in named):
            shown, allowed = show(", ".join(named)), ", ".join((*spoken, "multi"))
            text = f"'language' is {shown}; allowed with the model {self.model.name}: {allowed}"
            raise QueryRefused("language", text)


def _is_spoken(name: str, spoken: Sequence[str]) -> bool:
    language = language_of(name)
    return language is not None and language.code in spoken

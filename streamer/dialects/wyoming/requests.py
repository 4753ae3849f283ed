"""What a client asks for: the fields of its events, checked. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from streamer.audio.format import AudioFormat
from streamer.config.explain import show
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.numbers import with_whole_numbers
from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ServedModel
from streamer.http.languages import is_automatic, language_of
from streamer.protocol.requests import BadRequest, VadOptions

WIDTHS = (1, 2, 3, 4)
"""Bytes of a sample; one byte is unsigned, as in WAV files."""

NAMES: Mapping[str, str] = {
    "sample_rate": "rate",
    "channels": "channels",
    "bit_depth": "width",
    "is_float": "width",
}
"""What an event calls each field of an `AudioFormat`."""

RELAXED_MS, AGGRESSIVE_MS = 1_250, 250
"""Milliseconds of silence that end a command, as in `VadSensitivity` of Home Assistant's
`assist_pipeline/vad.py`. In between is the setting of the server."""

MAX_READ_TERMS = 1_000
"""Terms of a list that are looked at."""


class Asked(NamedTuple):
    """What the commands that follow are transcribed with.

    Attributes:
        model: That transcribes.
        language: Of the text; None = it is not known.
        vad: Settings of the segmentation.
        key_terms: Names and rare words.
    """

    model: ServedModel
    language: str | None
    vad: VadOptions = VadOptions()
    key_terms: tuple[str, ...] = ()


class _Audio(msgspec.Struct, frozen=True):
    rate: int
    width: int
    channels: int


def format_of(data: Mapping[str, Any], max_channels: int) -> AudioFormat:
    """The format in an `audio-start` or `audio-chunk`.

    Raises:
        BadRequest: A field is missing, or the format is not supported.
    """
    try:
        given = msgspec.convert(with_whole_numbers(data, _Audio), _Audio)
    except msgspec.ValidationError as error:
        message = f"'rate', 'width' and 'channels' of the audio: {error}"
        raise BadRequest("bad_format", message) from None
    if given.width not in WIDTHS:
        allowed = ", ".join(map(str, WIDTHS))
        raise BadRequest("bad_format", f"'width' is {given.width}; allowed: {allowed}")
    found = AudioFormat(given.rate, given.channels, given.width * 8)
    if problem := found.problem(max_channels, NAMES):
        raise BadRequest("bad_format", problem)
    return found


def asked_of(data: Mapping[str, Any], models: Sequence[ServedModel], vad: VadConfig) -> Asked:
    """What a `transcribe` asks for; other fields do not matter.

    Args:
        data: Of the event.
        models: Of the server; the first one is the default.
        vad: Settings of the server.

    Raises:
        BadRequest: The model does not have the language.
    """
    name = data.get("name")
    model = next((model for model in models if model.name == name), models[0])
    return Asked(
        model,
        _language(data.get("language"), model),
        _vad_options(data.get("vad_sensitivity"), vad),
        _key_terms([data.get("transcript_names"), data.get("transcript_terms")]),
    )


def _language(given: object, model: ServedModel) -> str | None:
    """The language to answer with: as the client has it, else the model's first."""
    if not isinstance(given, str) or not given.strip() or is_automatic(given):
        return model.languages[0] if model.languages else None
    found = language_of(given)
    if model.languages and (found is None or found.code not in model.languages):
        allowed = ", ".join(model.languages)
        message = f"'language' is {show(given)}; allowed with the model {model.name}: {allowed}"
        raise BadRequest("bad_message", message)
    return given


def _vad_options(sensitivity: object, vad: VadConfig) -> VadOptions:
    if sensitivity == "relaxed":
        return VadOptions(min_silence_ms=max(RELAXED_MS, vad.min_silence_ms))
    if sensitivity == "aggressive":
        return VadOptions(
            min_silence_ms=min(max(AGGRESSIVE_MS, vad.least_endpointing_ms), vad.min_silence_ms)
        )
    return VadOptions()


def _key_terms(lists: Sequence[object]) -> tuple[str, ...]:
    """Those that can be used, the most important ones first."""
    given = (term for terms in lists if isinstance(terms, list) for term in terms[:MAX_READ_TERMS])
    stripped = (term.strip() for term in given if isinstance(term, str))
    return tuple(filter(is_key_term, dict.fromkeys(stripped)))[:MAX_KEY_TERMS]

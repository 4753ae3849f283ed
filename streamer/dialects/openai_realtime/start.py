"""What the settings of a session ask of the pipeline. Pure."""

from collections.abc import Sequence
from typing import Literal

from streamer.audio.format import AudioFormat
from streamer.config.key_terms import MAX_KEY_TERMS, is_key_term
from streamer.config.segmentation import VadConfig
from streamer.dialects.openai_realtime.settings import (
    LOGPROBS,
    Settings,
    Transcription,
    TurnDetection,
)
from streamer.http.openai_models import served_name
from streamer.http.prompts import key_terms_of
from streamer.protocol.requests import Start, VadOptions

G711: dict[object, Literal["mulaw", "alaw"]] = {"audio/pcmu": "mulaw", "audio/pcma": "alaw"}
G711_HZ = 8_000

LEAST_SILENCE_MS = 300
"""Milliseconds. Clients ask for pauses that suit models that hear words as they come; with shorter
ones, each segment is a word or two, and the text suffers."""
MOST_SILENCE_MS = 10_000
MOST_PADDING_MS = 2_000
LEAST_THRESHOLD, MOST_THRESHOLD = 0.01, 0.99
"""The ranges of `VadOptions`."""

SILENCE_OF_EAGERNESS_MS = {"high": 300, "medium": 600, "auto": 600, "low": 1_000}
"""`semantic_vad` judges by the words whether a turn is over; here, only the pause counts."""

WHOLE_TEXTS = "whisper-1"
"""The model of OpenAI's that has one delta for each item, with all of its text."""


def start_of(
    settings: Settings,
    models: Sequence[str],
    vad: VadConfig,
    keyterms: tuple[str, ...] | None = None,
) -> Start:
    """The request for a stream.

    Args:
        settings: Of the session.
        models: The names of the server's models, the default one first.
        vad: As configured.
        keyterms: Those of the same `transcription`; None = they are not known.
    """
    chosen = settings.transcription or Transcription()
    return Start(
        format=audio_format(settings),
        interim_results=chosen.model != WHOLE_TEXTS,
        vad=vad_options(settings.turn_detection, vad),
        model=model_of(settings, models),
        words=LOGPROBS in (settings.include or ()),
        keyterms=key_terms(chosen) if keyterms is None else keyterms,
    )


def audio_format(settings: Settings) -> AudioFormat:
    """How the client's audio is encoded."""
    encoding = G711.get(settings.format.type)
    if encoding is not None:
        return AudioFormat(G711_HZ, bit_depth=8, encoding=encoding)
    rate = settings.format.rate
    assert isinstance(rate, int)  # `update` sets one
    return AudioFormat(rate)


def model_of(settings: Settings, models: Sequence[str]) -> str | None:
    """The model; None = the default one, also in the place of one that the server does not have."""
    given = settings.transcription.model if settings.transcription else None
    named = served_name(given if isinstance(given, str) else None, models)
    return named if named in models else None


def vad_options(detection: TurnDetection | None, configured: VadConfig) -> VadOptions:
    """What ends a segment, in this server's words and ranges; None = as configured."""
    if detection is None:
        return VadOptions()
    if detection.type == "semantic_vad":
        eagerness = detection.eagerness if isinstance(detection.eagerness, str) else "auto"
        return VadOptions(min_silence_ms=SILENCE_OF_EAGERNESS_MS[eagerness])
    # As `VadConfig.problem` has it.
    longest_ms = max(0, configured.max_segment_ms * 2 // 3 - configured.min_speech_ms)
    silence_ms = _within(detection.silence_duration_ms, LEAST_SILENCE_MS, MOST_SILENCE_MS)
    padding_ms = _within(detection.prefix_padding_ms, 0, min(MOST_PADDING_MS, longest_ms))
    return VadOptions(
        threshold=_within(detection.threshold, LEAST_THRESHOLD, MOST_THRESHOLD),
        min_silence_ms=None if silence_ms is None else int(silence_ms),
        prefix_padding_ms=None if padding_ms is None else int(padding_ms),
    )


def key_terms(chosen: Transcription) -> tuple[str, ...]:
    """The keywords, and the names in the prompt; each once."""
    keywords = chosen.keywords if isinstance(chosen.keywords, list) else []
    prompt = chosen.prompt if isinstance(chosen.prompt, str) else ""
    found = (*filter(is_key_term, keywords), *key_terms_of(prompt))
    return tuple(dict.fromkeys(found))[:MAX_KEY_TERMS]


def _within(value: object, least: float, most: float) -> float | None:
    """A number in its range; None = the client has given none."""
    return min(max(value, least), most) if isinstance(value, int | float) else None

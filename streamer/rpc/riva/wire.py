"""NVIDIA Riva's messages. Pure.

https://docs.nvidia.com/deeplearning/riva/user-guide/docs/reference/protos/protos.html
"""

from collections.abc import Mapping, Sequence

from streamer.config.dialect_names import DialectName
from streamer.http.deepgram_query import ServedModel
from streamer.rpc.descriptors import message_class
from streamer.rpc.recognition.encodings import ALAW, LINEAR, MULAW, UNSPECIFIED, Encoding
from streamer.rpc.recognition.results import Found, Result
from streamer.rpc.recognition.settings import (
    Asked,
    context_phrases,
    key_terms,
    model_named,
    spoken_language,
    unused,
)
from streamer.rpc.recognition.wire import Message, RecognizerWire

PACKAGE = "nvidia.riva.asr"
SERVICE = f"{PACKAGE}.RivaSpeechRecognition"

UNUSED = (
    "max_alternatives",
    "profanity_filter",
    "verbatim_transcripts",
    "diarization_config",
    "custom_configuration",
)
"""Fields of `RecognitionConfig` without an effect."""

_RESPONSE = message_class(f"{PACKAGE}.StreamingRecognizeResponse")
_RECOGNIZED = message_class(f"{PACKAGE}.RecognizeResponse")


class RivaWire(RecognizerWire):
    """See `RecognizerWire`."""

    name: DialectName = "riva"
    encodings: Mapping[int, Encoding] = {
        1: Encoding("LINEAR_PCM", LINEAR),
        3: Encoding("MULAW", MULAW),
        20: Encoding("ALAW", ALAW),
        2: Encoding("FLAC"),
        4: Encoding("OGGOPUS"),
        0: UNSPECIFIED,
    }
    other_encodings: Mapping[int, str] = {}
    streaming_request = message_class(f"{PACKAGE}.StreamingRecognizeRequest")
    recording_request = message_class(f"{PACKAGE}.RecognizeRequest")

    def asked(self, config: Message, models: Sequence[ServedModel]) -> Asked:
        """See `RecognizerWire`."""
        model = model_named(config.model, models)
        endpointing = config.endpointing_config
        return Asked(
            model,
            spoken_language((config.language_code,), model),
            key_terms(context_phrases(config)),
            word_times=config.enable_word_time_offsets,
            word_confidence=config.enable_word_time_offsets,
            punctuated=config.enable_automatic_punctuation,
            min_silence_ms=endpointing.stop_history or None,
            ignored=unused(config, UNUSED),
        )

    def recording(self, request: Message) -> bytes:
        """See `RecognizerWire`."""
        audio: bytes = request.audio
        return audio

    def response(self, found: Found, asked: Asked, request: Message) -> bytes | None:
        """See `RecognizerWire`."""
        if not isinstance(found, Result):
            return None
        response = _RESPONSE()
        result = response.results.add()
        result.is_final = found.final
        _write(found, asked, result)
        _give_back_id(request, response)
        message: bytes = response.SerializeToString()
        return message

    def recognized(
        self, results: Sequence[Result], seconds: float, asked: Asked, request: Message
    ) -> bytes:
        """See `RecognizerWire`."""
        del seconds
        response = _RECOGNIZED()
        for result in results:
            _write(result, asked, response.results.add())
        _give_back_id(request, response)
        message: bytes = response.SerializeToString()
        return message


def _write(found: Result, asked: Asked, result: Message) -> None:
    result.channel_tag = found.channel + 1
    result.audio_processed = found.end
    alternative = result.alternatives.add()
    alternative.transcript = f"{found.text} " if found.final else found.text
    if asked.language:
        alternative.language_code.append(asked.language)
    if found.confidence is not None:
        alternative.confidence = found.confidence
    for word in found.words:
        alternative.words.add(
            start_time=round(word.start * 1_000),
            end_time=round(word.end * 1_000),
            word=word.text,
            confidence=word.confidence,
        )


def _give_back_id(request: Message, response: Message) -> None:
    if request.HasField("id"):
        response.id.CopyFrom(request.id)

"""Google's messages. Pure.

https://cloud.google.com/speech-to-text/docs/reference/rpc/google.cloud.speech.v1
"""

from collections.abc import Iterable, Mapping, Sequence

from streamer.config.dialect_names import DialectName
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.requests import BadRequest
from streamer.rpc.descriptors import message_class
from streamer.rpc.recognition.encodings import LINEAR, MULAW, UNSPECIFIED, Encoding
from streamer.rpc.recognition.results import (
    Found,
    Result,
    SpeechBegan,
    SpeechEnded,
    UtteranceOver,
)
from streamer.rpc.recognition.settings import (
    Asked,
    Phrase,
    context_phrases,
    key_terms,
    model_named,
    spoken_language,
    unused,
)
from streamer.rpc.recognition.wire import Message, RecognizerWire

PACKAGE = "google.cloud.speech.v1"
SERVICE = f"{PACKAGE}.Speech"

UNUSED = (
    "max_alternatives",
    "profanity_filter",
    "diarization_config",
    "use_enhanced",
)
"""Fields of `RecognitionConfig` without an effect."""

_RESPONSE = message_class(f"{PACKAGE}.StreamingRecognizeResponse")
_RECOGNIZED = message_class(f"{PACKAGE}.RecognizeResponse")


class GoogleWire(RecognizerWire):
    """See `RecognizerWire`."""

    name: DialectName = "google"
    encodings: Mapping[int, Encoding] = {
        1: Encoding("LINEAR16", LINEAR),
        3: Encoding("MULAW", MULAW),
        2: Encoding("FLAC"),
        4: Encoding("AMR"),
        5: Encoding("AMR_WB"),
        6: Encoding("OGG_OPUS"),
        8: Encoding("MP3"),
        9: Encoding("WEBM_OPUS"),
        0: UNSPECIFIED,
    }
    other_encodings: Mapping[int, str] = {7: "SPEEX_WITH_HEADER_BYTE"}
    streaming_request = message_class(f"{PACKAGE}.StreamingRecognizeRequest")
    recording_request = message_class(f"{PACKAGE}.RecognizeRequest")

    def asked(self, config: Message, models: Sequence[ServedModel]) -> Asked:
        """See `RecognizerWire`."""
        model = model_named(config.model, models)
        named = (config.language_code, *config.alternative_language_codes)
        return Asked(
            model,
            spoken_language(named, model),
            key_terms(_phrases(config)),
            word_times=config.enable_word_time_offsets,
            word_confidence=config.enable_word_confidence,
            punctuated=config.enable_automatic_punctuation,
            ignored=unused(config, UNUSED),
        )

    def recording(self, request: Message) -> bytes:
        """See `RecognizerWire`."""
        if request.audio.WhichOneof("audio_source") == "uri":
            raise BadRequest(
                "bad_message", "'audio.uri' is given; allowed: the audio itself, in 'audio.content'"
            )
        content: bytes = request.audio.content
        return content

    def response(self, found: Found, asked: Asked, request: Message) -> bytes | None:
        """See `RecognizerWire`."""
        response = _RESPONSE()
        match found:
            case SpeechBegan() | SpeechEnded():
                if not request.streaming_config.enable_voice_activity_events:
                    return None
                began = isinstance(found, SpeechBegan)
                response.speech_event_type = (
                    response.SPEECH_ACTIVITY_BEGIN if began else response.SPEECH_ACTIVITY_END
                )
                _set_seconds(response.speech_event_time, found.time)
            case UtteranceOver():
                response.speech_event_type = response.END_OF_SINGLE_UTTERANCE
            case Result():
                result = response.results.add()
                result.is_final = found.final
                _write(found, asked, result)
        message: bytes = response.SerializeToString()
        return message

    def recognized(
        self, results: Sequence[Result], seconds: float, asked: Asked, request: Message
    ) -> bytes:
        """See `RecognizerWire`."""
        del request
        response = _RECOGNIZED()
        for result in results:
            _write(result, asked, response.results.add())
        _set_seconds(response.total_billed_time, seconds)
        message: bytes = response.SerializeToString()
        return message


def _phrases(config: Message) -> Iterable[Phrase]:
    """Those of `adaptation`, if there are any; else those of `speech_contexts`."""
    adapted = [
        Phrase(phrase.value, phrase.boost)
        for phrases in config.adaptation.phrase_sets
        for phrase in phrases.phrases
    ]
    return adapted or context_phrases(config)


def _write(found: Result, asked: Asked, result: Message) -> None:
    result.channel_tag = found.channel + 1
    result.language_code = asked.language.lower()
    _set_seconds(result.result_end_time, found.end)
    alternative = result.alternatives.add()
    alternative.transcript = f" {found.text}" if found.follows else found.text
    if found.confidence is not None:
        alternative.confidence = found.confidence
    for word in found.words:
        info = alternative.words.add()
        info.word = word.text
        if asked.word_times:
            _set_seconds(info.start_time, word.start)
            _set_seconds(info.end_time, word.end)
        if asked.word_confidence:
            info.confidence = word.confidence


def _set_seconds(duration: Message, seconds: float) -> None:
    """Set a `google.protobuf.Duration`, to the millisecond."""
    whole, rest = divmod(round(seconds * 1_000), 1_000)
    duration.seconds, duration.nanos = whole, rest * 1_000_000

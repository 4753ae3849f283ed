"""What a live call and one with a recording have in common."""

import logging
from abc import ABC
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from streamer.config.explain import show_name
from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ServedModel, served_models
from streamer.protocol.inputs import AudioReceived, Input, StartRequested
from streamer.rpc.dialect import RpcDialect
from streamer.rpc.recognition.encodings import encoding_of
from streamer.rpc.recognition.incoming_audio import IncomingAudio
from streamer.rpc.recognition.results import Results
from streamer.rpc.recognition.settings import Asked, declared_audio
from streamer.rpc.recognition.wire import Message, RecognizerWire
from streamer.services import Services

_log = logging.getLogger(__name__)


class RecognizerDialect(RpcDialect, ABC):
    """One call.

    Args:
        wire: The vendor's messages.
        models: Of the server; the first one is the default.
        max_channels: The most channels that the server takes.
        vad: Settings of the segmentation.
    """

    def __init__(
        self,
        wire: RecognizerWire,
        models: Sequence[ServedModel],
        max_channels: int,
        vad: VadConfig,
    ) -> None:
        super().__init__()
        self.name = wire.name
        self._wire = wire
        self._models = models
        self._max_channels = max_channels
        self._vad = vad
        self._request: Message = None
        """The first one; None before it. Then there are the settings, too."""
        self._asked: Asked
        self._audio: IncomingAudio
        self._results: Results
        self._begun = False
        """Whether it is known what the audio is, and the stream has been asked for."""

    def _read_settings(self, request: Message, config: Message, *, single_utterance: bool) -> None:
        """Read the settings.

        Args:
            request: The first message of the client.
            config: The `RecognitionConfig` in it.
            single_utterance: Whether the client wants the first utterance only.

        Raises:
            BadRequest: They cannot be used.
        """
        wire = self._wire
        encoding = encoding_of(config.encoding, wire.encodings, wire.other_encodings)
        declared = declared_audio(config, encoding)
        self._audio = IncomingAudio(declared, self._max_channels, wire.raw_encodings)
        self._asked = asked = wire.asked(config, self._models)
        self._results = Results(asked, single_utterance=single_utterance)
        if asked.ignored:
            _log.info("%s: ignored: %s", self.name, ", ".join(map(show_name, asked.ignored)))
        self._request = request

    def _take(self, audio: bytes, *, interims: bool) -> Iterator[Input]:
        """What audio means; the first with a known format begins the stream.

        Args:
            audio: From `_audio`.
            interims: Whether the client wants results that are not final.
        """
        if not self._begun and self._audio.format is not None:
            self._begun = True
            yield StartRequested(
                self._asked.start(self._audio.format, self._vad, interims=interims)
            )
        if audio:
            yield AudioReceived(audio)


DialectT = TypeVar("DialectT", bound=RecognizerDialect)


def maker(dialect_class: type[DialectT], wire: RecognizerWire) -> Callable[[Services], DialectT]:
    """Makes the dialect of a new call.

    Args:
        dialect_class: Of the calls of a method.
        wire: The vendor's messages.
    """
    return lambda services: dialect_class(
        wire,
        served_models(services.pools),
        services.config.limits.max_channels,
        services.config.vad,
    )

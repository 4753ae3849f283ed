"""A live call of a client of Google's or NVIDIA's: settings, then audio; results meanwhile."""

from collections.abc import Iterator

from streamer.protocol.actions import Close, Outgoing
from streamer.protocol.events import ErrorEvent, Event
from streamer.protocol.inputs import DisconnectRequested, Input
from streamer.protocol.requests import BadRequest
from streamer.rpc.recognition.recognizer import RecognizerDialect
from streamer.rpc.recognition.results import UtteranceOver
from streamer.rpc.recognition.wire import parse
from streamer.rpc.status import status_of_error

NO_CONFIG = "'streaming_config' is missing; the first message has to have it, and no audio"
SECOND_CONFIG = "'streaming_config' comes a second time; allowed: in the first message only"


class StreamingDialect(RecognizerDialect):
    """See `RecognizerDialect`."""

    def inputs(self, message: bytes) -> Iterator[Input]:
        """The settings, or audio; what is neither means nothing.

        Raises:
            BadRequest: It is no message, or comes out of turn; or the settings or the audio cannot
                be used.
        """
        request = parse(self._wire.streaming_request, message)
        kind = request.WhichOneof("streaming_request")
        if self._request is not None:
            if kind == "streaming_config":
                raise BadRequest("bad_message", SECOND_CONFIG)
            yield from self._heard(self._audio.push(request.audio_content))
            return
        if kind != "streaming_config":
            raise BadRequest("bad_message", NO_CONFIG)
        settings = request.streaming_config
        single_utterance = getattr(settings, "single_utterance", False)  # Google's have it
        self._read_settings(request, settings.config, single_utterance=single_utterance)
        yield from self._heard(b"")

    def no_more(self) -> Iterator[Input]:
        """The audio is over.

        Raises:
            BadRequest: As from `inputs`.
        """
        if self._request is None:
            raise BadRequest("bad_message", NO_CONFIG)
        yield from self._heard(self._audio.finish())
        yield DisconnectRequested()

    def messages(self, item: Outgoing) -> Iterator[bytes | Input | Close]:
        """What an event becomes; an error that is not about a segment ends the call."""
        if isinstance(item, ErrorEvent) and item.start_time is None:
            if not item.fatal:
                yield self._end(item)
        elif self._begun and isinstance(item, Event):
            for found in self._results.on_event(item):
                response = self._wire.response(found, self._asked, self._request)
                if response is not None:
                    yield response
                if isinstance(found, UtteranceOver):
                    yield DisconnectRequested()

    def _end(self, failure: ErrorEvent) -> Input | Close:
        """End the call, behind all that was said before."""
        if self._failure is not None:  # no stream was open that it could have ended
            return status_of_error(self._failure)
        if self._begun and failure.code == "bad_message":  # the stream is open
            self._failure = failure
            return DisconnectRequested()
        return status_of_error(failure)

    def _heard(self, audio: bytes) -> Iterator[Input]:
        return self._take(audio, interims=self._request.streaming_config.interim_results)

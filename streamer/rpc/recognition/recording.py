"""A call of a client of Google's or NVIDIA's with a recording in its only message."""

from collections.abc import Iterable, Iterator
from typing import Any

from streamer.protocol.actions import Close, Outgoing
from streamer.protocol.events import ErrorEvent, Event, Stopped
from streamer.protocol.inputs import Input
from streamer.protocol.requests import BadRequest
from streamer.rpc.recognition.recognizer import RecognizerDialect
from streamer.rpc.recognition.results import Result
from streamer.rpc.recognition.wire import parse
from streamer.rpc.status import status_of_error

MAX_RECORDING_BYTES = 10 * 1024 * 1024
"""Bytes of a request: Google's limit."""

PIECE_BYTES = 32_000
"""Bytes of audio that are mixed, and later processed, at once. Other sessions get their turn in the
processing, but not while the message is read and its channels are mixed."""


class RecordingDialect(RecognizerDialect):
    """See `RecognizerDialect`."""

    max_lag_seconds: float | None = 0.0

    def __init__(self, *args: Any) -> None:  # noqa: ANN401 – passed on
        super().__init__(*args)
        self._found: list[Result] = []
        self._seconds = 0.0

    def inputs(self, message: bytes) -> Iterator[Input]:
        """The whole recording.

        Raises:
            BadRequest: It is no message, or a second one; or the settings or the audio cannot be
                used.
        """
        if self._request is not None:
            raise BadRequest("bad_message", "a second message comes; allowed: one")
        request = parse(self._wire.recording_request, message)
        recording = self._wire.recording(request)
        request.ClearField("audio")  # it is kept to the end, for all but its audio
        self._read_settings(request, request.config, single_utterance=False)
        for first in range(0, len(recording), PIECE_BYTES):
            audio = self._audio.push(recording[first : first + PIECE_BYTES])
            yield from self._take(audio, interims=False)
        yield from self._take(self._audio.finish(), interims=False)

    def no_more(self) -> Iterable[Input]:
        """The recording has come.

        Raises:
            BadRequest: There is none.
        """
        if self._request is None:
            raise BadRequest("bad_message", "the request is missing")
        return super().no_more()

    def messages(self, item: Outgoing) -> Iterator[Close]:
        """Nothing until the end; an error ends the call, so that no result lacks a part."""
        if isinstance(item, ErrorEvent):
            if not item.fatal:
                yield status_of_error(item)
        elif self._request is not None and isinstance(item, Event):
            self._found += [one for one in self._results.on_event(item) if isinstance(one, Result)]
            if isinstance(item, Stopped):
                self._seconds = item.audio_seconds

    def last_messages(self) -> Iterator[bytes]:
        """The results."""
        if self._request is not None:
            yield self._wire.recognized(self._found, self._seconds, self._asked, self._request)

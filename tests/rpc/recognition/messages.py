"""Messages of Google's and NVIDIA's clients, and what they are answered with."""

from collections.abc import Iterable, Sequence
from typing import Any

from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import Close, Outgoing
from streamer.protocol.events import Segment
from streamer.protocol.inputs import Input, StartRequested
from streamer.protocol.requests import Start
from streamer.rpc.descriptors import message_class
from streamer.rpc.google.wire import GoogleWire
from streamer.rpc.recognition.recording import RecordingDialect
from streamer.rpc.recognition.streaming import StreamingDialect
from streamer.rpc.recognition.wire import RecognizerWire
from streamer.rpc.riva.wire import RivaWire

GOOGLE, RIVA = GoogleWire(), RivaWire()
WIRES = (GOOGLE, RIVA)
MODELS = (ServedModel("tiny", "moonshine", ("en",)), ServedModel("other", "own"))
_RESPONSES = {
    "google": message_class("google.cloud.speech.v1.StreamingRecognizeResponse"),
    "riva": message_class("nvidia.riva.asr.StreamingRecognizeResponse"),
}
RAW = {"encoding": 1, "sample_rate_hertz": 16_000, "language_code": "en-US"}
"""Of both vendors: 16-bit PCM."""
MAX_CHANNELS = 2

WORDS = [
    {"text": "Ever", "start_time": 1.0, "end_time": 1.25, "confidence": 0.5},
    {"text": "—", "start_time": 1.25, "end_time": 1.25, "confidence": 0.5},
    {"text": "tried.", "start_time": 1.5, "end_time": 2.0, "confidence": 0.75},
]


def spoken(text: str = "Ever — tried.", end: float = 2.25, channel: int = 0) -> Segment:
    """A segment with words."""
    output = {"text": text, "confidence": 0.875, "words": WORDS}
    return Segment(start_time=0.75, end_time=end, channel=channel, output=output)


def live(wire: RecognizerWire) -> StreamingDialect:
    """The dialect of a live call."""
    return StreamingDialect(wire, MODELS, MAX_CHANNELS, VadConfig())


def opened(
    wire: RecognizerWire, config: dict[str, Any] | None = None, **streaming: Any
) -> tuple[StreamingDialect, list[Input]]:
    """A live call with its first message; the fields of `config` beside those of raw audio."""
    dialect = live(wire)
    settings = {"config": {**RAW, **(config or {})}, **streaming}
    return dialect, sent(dialect, streaming_config=settings)


def sent(dialect: StreamingDialect | RecordingDialect, **fields: Any) -> list[Input]:
    """The inputs of a message."""
    live = isinstance(dialect, StreamingDialect)
    kind = dialect._wire.streaming_request if live else dialect._wire.recording_request
    return list(dialect.read(kind(**fields).SerializeToString()))


def start_of(inputs: Iterable[Input]) -> Start:
    """The `start` among inputs."""
    (found,) = [one.start for one in inputs if isinstance(one, StartRequested)]
    return found


def answers(dialect: StreamingDialect, *items: Outgoing) -> Sequence[Any]:
    """The messages, inputs and ends that events become."""
    response = _RESPONSES[dialect.name]
    return [
        response.FromString(one) if isinstance(one, bytes) else one
        for item in items
        for one in dialect.write(item)
    ]


def close_of(made: Sequence[Any]) -> Close:
    """The end of the call, which is the only answer."""
    (found,) = made
    assert isinstance(found, Close)
    return found

"""Google's service."""

from streamer.rpc.dialect import RpcService, SessionMethod
from streamer.rpc.google.wire import SERVICE, GoogleWire
from streamer.rpc.recognition.recognizer import maker
from streamer.rpc.recognition.recording import MAX_RECORDING_BYTES, RecordingDialect
from streamer.rpc.recognition.streaming import StreamingDialect

_WIRE = GoogleWire()

GOOGLE = RpcService(
    SERVICE,
    "google",
    {
        "StreamingRecognize": SessionMethod(maker(StreamingDialect, _WIRE)),
        "Recognize": SessionMethod(
            maker(RecordingDialect, _WIRE), MAX_RECORDING_BYTES, is_recording=True
        ),
    },
)

"""NVIDIA Riva's service."""

from streamer.rpc.dialect import AnswerMethod, RpcService, SessionMethod
from streamer.rpc.recognition.recognizer import maker
from streamer.rpc.recognition.recording import MAX_RECORDING_BYTES, RecordingDialect
from streamer.rpc.recognition.streaming import StreamingDialect
from streamer.rpc.riva.models import list_models
from streamer.rpc.riva.wire import SERVICE, RivaWire

_WIRE = RivaWire()

RIVA = RpcService(
    SERVICE,
    "riva",
    {
        "StreamingRecognize": SessionMethod(maker(StreamingDialect, _WIRE)),
        "Recognize": SessionMethod(
            maker(RecordingDialect, _WIRE), MAX_RECORDING_BYTES, is_recording=True
        ),
        "GetRivaSpeechRecognitionConfig": AnswerMethod(
            lambda services, message: list_models(services.pools, message)
        ),
    },
)

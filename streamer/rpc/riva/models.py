"""What NVIDIA's clients are told of the models."""

from collections.abc import Iterable

from streamer.config.explain import show
from streamer.inference.pool import WorkerPool
from streamer.protocol.requests import BadRequest
from streamer.rpc.descriptors import message_class
from streamer.rpc.recognition.wire import parse
from streamer.rpc.riva.wire import PACKAGE

_REQUEST = message_class(f"{PACKAGE}.RivaSpeechRecognitionConfigRequest")
_RESPONSE = message_class(f"{PACKAGE}.RivaSpeechRecognitionConfigResponse")

TYPES = ("online", "offline")
"""Of models: for `StreamingRecognize` and for `Recognize`. Programs look for one of them."""


def list_models(pools: Iterable[WorkerPool], message: bytes) -> bytes:
    """The answer to `GetRivaSpeechRecognitionConfig`.

    Args:
        pools: One for each model.
        message: The request.

    Raises:
        BadRequest: It is no such request, or names a model that there is not.
    """
    wanted = parse(_REQUEST, message).model_name
    served = {pool.spec.name: pool for pool in pools}
    if wanted and wanted not in served:
        allowed = ", ".join(served)
        raise BadRequest("bad_message", f"'model_name' is {show(wanted)}; allowed: {allowed}")
    response = _RESPONSE()
    for kind in TYPES:
        for name, pool in served.items():
            if wanted in ("", name):
                _describe(pool, kind, response.model_config.add(model_name=name).parameters)
    answer: bytes = response.SerializeToString()
    return answer


def _describe(pool: WorkerPool, kind: str, parameters: dict[str, str]) -> None:
    parameters["type"] = kind
    parameters["streaming"] = str(kind == "online")
    parameters["language_code"] = ",".join(pool.languages)
    if pool.sample_rate is not None:  # it is not loaded yet
        parameters["sample_rate"] = str(pool.sample_rate)

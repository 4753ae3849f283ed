"""What a client sends, as the requests of the WebSocket protocol. Pure.

A request other than audio becomes the object that the WebSocket has in JSON, so that both are
checked by the same code, and refused in the same words.
"""

from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from streamer.protocol.requests import BadRequest
from streamer.rpc.descriptors import message_class

_REQUEST = message_class("streamer.v1.StreamRequest")
_parse = _REQUEST.FromString
_KINDS = [field.name for field in _REQUEST.DESCRIPTOR.oneofs_by_name["request"].fields]


def read_request(message: bytes) -> bytes | dict[str, Any]:
    """Audio, or another request as the object that the WebSocket protocol has.

    Raises:
        BadRequest: It is no request.
    """
    try:
        request = _parse(message)
    except DecodeError as error:
        raise BadRequest("bad_message", f"the message is no StreamRequest: {error}") from None
    kind = request.WhichOneof("request")
    if kind == "audio":
        audio: bytes = request.audio
        return audio
    if kind is None:
        allowed = ", ".join(_KINDS)
        raise BadRequest("bad_message", f"'request' is missing; allowed: one of {allowed}")
    tree = MessageToDict(getattr(request, kind), preserving_proto_field_name=True)
    if kind == "configure" and "keyterms" in tree:
        tree["keyterms"] = tree["keyterms"].get("terms", [])
    elif kind == "start" and "format" in tree:
        _name_encoding(tree["format"])
    return {"request": kind, **tree}


def _name_encoding(audio_format: dict[str, Any]) -> None:
    """Write the encoding as in JSON; the number of one that there is not stays."""
    encoding = audio_format.get("encoding")
    if isinstance(encoding, str):
        audio_format["encoding"] = encoding.lower()

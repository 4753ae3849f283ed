"""All codes that clients see: of errors, of warnings, of closing a socket, of HTTP answers."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Literal

ErrorCode = Literal[
    "bad_message",
    "bad_format",
    "bad_audio",
    "unexpected_message",
    "inference_failed",
    "worker_lost",
    "inference_timeout",
    "unauthorized",
    "too_large",
    "idle_timeout",
    "session_too_long",
    "overloaded",
    "internal_error",
]
"""Of `error` events."""

WarningCode = Literal[
    "interim_shed",
    "lagging",
    "bad_trace_id",
    "bad_samples",
    "out_of_scale",
    "not_pcm",
    "other_format",
    "damaged_audio",
    "no_speech",
    "no_words",
    "no_keyterms",
    "no_eager",
    "ignored_field",
    "deprecated_field",
]
"""Of `warning` events."""

RequestWarningCode = WarningCode
"""Of the warnings in HTTP answers."""

RequestErrorCode = Literal[
    "bad_request",
    "bad_format",
    "bad_audio",
    "unsupported_media_type",
    "too_short",
    "too_long",
    "too_large",
    "upload_timeout",
    "unauthorized",
    "unknown_model",
    "inference_failed",
    "inference_timeout",
    "worker_lost",
    "overloaded",
    "not_ready",
    "internal_error",
]
"""Of HTTP answers to requests with a recording."""

STATUS_OF_FAILED_SEGMENT: Mapping[RequestErrorCode, int] = {
    "inference_failed": 500,
    "worker_lost": 500,
    "inference_timeout": 504,
}
"""HTTP status for each way in which a segment can fail."""


class CloseCode(IntEnum):
    """Why a WebSocket is closed.

    RFC 6455, section 7.4.1, and https://www.iana.org/assignments/websocket.
    """

    NORMAL = 1000
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013


MAX_CLOSE_REASON_BYTES = 123
"""A control frame carries 125 bytes, two of which are the code (RFC 6455, section 5.5)."""


def close_reason(text: str) -> str:
    """The beginning of a text that fits into a close frame."""
    return text.encode()[:MAX_CLOSE_REASON_BYTES].decode(errors="ignore")

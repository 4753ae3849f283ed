"""The status that a call ends with. Pure.

UNAVAILABLE is never sent. Google's client of speech recognition answers it, before the first
response, by calling again with the rest of its audio, and so loses audio without an error.
"""

from collections.abc import Mapping
from enum import IntEnum

from streamer.protocol.actions import Close
from streamer.protocol.codes import CloseCode, ErrorCode
from streamer.protocol.events import ErrorEvent


class Status(IntEnum):
    """Codes of gRPC: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md."""

    OK = 0
    INVALID_ARGUMENT = 3
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    ABORTED = 10
    OUT_OF_RANGE = 11
    INTERNAL = 13
    UNAUTHENTICATED = 16


STATUS_OF_ERROR: Mapping[ErrorCode, Status] = {
    "bad_message": Status.INVALID_ARGUMENT,
    "bad_format": Status.INVALID_ARGUMENT,
    "bad_audio": Status.INVALID_ARGUMENT,
    "unexpected_message": Status.INVALID_ARGUMENT,
    "inference_failed": Status.INTERNAL,
    "worker_lost": Status.INTERNAL,
    "inference_timeout": Status.INTERNAL,
    "unauthorized": Status.UNAUTHENTICATED,
    "too_large": Status.RESOURCE_EXHAUSTED,
    "idle_timeout": Status.ABORTED,
    "session_too_long": Status.OUT_OF_RANGE,
    "overloaded": Status.RESOURCE_EXHAUSTED,
    "internal_error": Status.INTERNAL,
}
"""Of a call that an error ends."""

_STATUS_OF_CLOSE: Mapping[int, Status] = {
    CloseCode.NORMAL: Status.OK,
    CloseCode.POLICY_VIOLATION: Status.OUT_OF_RANGE,
    CloseCode.MESSAGE_TOO_BIG: Status.RESOURCE_EXHAUSTED,
    CloseCode.SERVICE_RESTART: Status.ABORTED,
    CloseCode.TRY_AGAIN_LATER: Status.RESOURCE_EXHAUSTED,
}

_STATUS_OF_HTTP: Mapping[int, Status] = {
    400: Status.INVALID_ARGUMENT,
    401: Status.UNAUTHENTICATED,
    403: Status.PERMISSION_DENIED,
    503: Status.RESOURCE_EXHAUSTED,
}


def status_of_error(failure: ErrorEvent) -> Close:
    """Ends a call because of an error."""
    return Close(STATUS_OF_ERROR[failure.code], failure.message)


def status_of_close(close: Close, failure: ErrorEvent | None) -> Close:
    """What a call ends with where a WebSocket would be closed.

    Args:
        close: With the code of a WebSocket.
        failure: The fatal error before it; None = there was none.

    Returns:
        A `Close` whose code is a `Status`.
    """
    if failure is not None:
        return status_of_error(failure)
    return Close(_STATUS_OF_CLOSE.get(close.code, Status.INTERNAL), close.reason)


def status_of_http(code: int) -> Status:
    """What a call ends with that was refused with a status of HTTP."""
    return _STATUS_OF_HTTP.get(code, Status.INTERNAL)

"""The messages to clients, without their `event_id`. Pure.

https://platform.openai.com/docs/api-reference/realtime-server-events.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from streamer.dialects.openai_realtime.messages import Problem
from streamer.http.openai_answers import Logprob
from streamer.protocol.codes import ErrorCode
from streamer.protocol.events import ErrorEvent

ServerEvent = dict[str, Any]

_TRANSCRIPTION = "conversation.item.input_audio_transcription"

SERVER_ERRORS: frozenset[ErrorCode] = frozenset(
    {"inference_failed", "worker_lost", "inference_timeout", "overloaded", "internal_error"}
)
"""Errors of which the server is the cause."""

CODES: dict[ErrorCode, str] = {
    "idle_timeout": "session_expired",
    "session_too_long": "session_expired",
    "too_large": "string_above_max_length",
    "unauthorized": "invalid_api_key",
}
"""OpenAI's codes for some of this server's; the others are sent as they are."""


def session(kind: str, content: ServerEvent) -> ServerEvent:
    """The settings: `session.created`, `session.updated`, or the beta's names for them."""
    return {"type": kind, "session": content}


def cleared() -> ServerEvent:
    """What was not committed is discarded."""
    return {"type": "input_audio_buffer.cleared"}


def speech_started(item_id: str, audio_start_ms: int) -> ServerEvent:
    """An item begins. Milliseconds of all audio of the session."""
    kind = "input_audio_buffer.speech_started"
    return {"type": kind, "audio_start_ms": audio_start_ms, "item_id": item_id}


def speech_stopped(item_id: str, audio_end_ms: int) -> ServerEvent:
    """It ends; as above."""
    kind = "input_audio_buffer.speech_stopped"
    return {"type": kind, "audio_end_ms": audio_end_ms, "item_id": item_id}


def committed(item_id: str, previous_item_id: str | None) -> Iterator[ServerEvent]:
    """An item is committed, and part of the conversation."""
    before = {"previous_item_id": previous_item_id}
    yield {"type": "input_audio_buffer.committed", "item_id": item_id, **before}
    item = {
        "id": item_id,
        "object": "realtime.item",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    yield {"type": "conversation.item.added", **before, "item": item}
    yield {"type": "conversation.item.done", **before, "item": item}


def delta(item_id: str, text: str) -> ServerEvent:
    """A transcript grows."""
    kind = f"{_TRANSCRIPTION}.delta"
    return {"type": kind, "item_id": item_id, "content_index": 0, "delta": text}


def completed(
    item_id: str, transcript: str, seconds: float, logprobs: Sequence[Logprob] | None
) -> ServerEvent:
    """A transcript is final; seconds of audio of the item."""
    return {
        "type": f"{_TRANSCRIPTION}.completed",
        "item_id": item_id,
        "content_index": 0,
        "transcript": transcript,
        "usage": {"type": "duration", "seconds": round(seconds, 3)},
        **({} if logprobs is None else {"logprobs": logprobs}),
    }


def failed(item_id: str, failure: ErrorEvent) -> ServerEvent:
    """An item has no transcript."""
    return {
        "type": f"{_TRANSCRIPTION}.failed",
        "item_id": item_id,
        "content_index": 0,
        "error": _error(failure),
    }


def error(failure: ErrorEvent) -> ServerEvent:
    """Something that was asked for is not going to happen."""
    return {"type": "error", "error": {**_error(failure), "event_id": None}}


def error_about(problem: Problem) -> ServerEvent:
    """A message of the client's cannot be acted on."""
    return {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "code": problem.code,
            "message": problem.message,
            "param": problem.param,
            "event_id": problem.event_id,
        },
    }


def _error(failure: ErrorEvent) -> ServerEvent:
    kind = "server_error" if failure.code in SERVER_ERRORS else "invalid_request_error"
    code = CODES.get(failure.code, failure.code)
    return {"type": kind, "code": code, "message": failure.message, "param": None}

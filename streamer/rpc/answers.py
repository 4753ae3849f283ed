"""Calls that are answered at once, without a session."""

import asyncio
import logging

import grpc.aio
from grpc.aio import ServicerContext

from streamer.access.refusal_log import why_unauthorized
from streamer.access.sessions import SessionRegistry
from streamer.access.tokens import AuthState
from streamer.inference.model_pools import Backlog
from streamer.protocol.codes import ErrorCode
from streamer.protocol.requests import BadRequest
from streamer.rpc.call import CODES, RETRY_AFTER, address_of, metadata_of
from streamer.rpc.dialect import AnswerMethod, credential_of
from streamer.rpc.status import STATUS_OF_ERROR
from streamer.services import Services

MAX_REQUEST_S = 60.0
"""Seconds for the request to come, where `limits.idle_seconds` is 0."""

_log = logging.getLogger(__name__)


class _Failed(Exception):
    """There is no answer; the message is for the client."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code: ErrorCode = code


async def answer(
    method: AnswerMethod, context: ServicerContext, services: Services, registry: SessionRegistry
) -> None:
    """Serve a call; the end of the server waits for it.

    Args:
        method: Makes the response.
        context: Of the call.
        services: What all sessions share.
        registry: Of the sessions of all protocols.
    """
    with registry.busy():
        try:
            _admit(context, services, registry)
            response = method.answer(services, await _request(context, services))
        except _Failed as failure:
            code, message = failure.code, str(failure)
        except BadRequest as error:
            code, message = error.code, str(error)
        except Exception:  # the library would show it to the client
            _log.exception("a call without a session failed")
            code, message = "internal_error", "internal error"
        else:
            await context.write(response)
            return
        services.monitor.error(code)
        await context.abort(CODES[STATUS_OF_ERROR[code]], message)


def _admit(context: ServicerContext, services: Services, registry: SessionRegistry) -> None:
    """Let a client in.

    Raises:
        _Failed: It may not use the server, or the server is going to end.
    """
    auth = services.access.auth_state(credential_of(metadata_of(context)))
    if auth is not AuthState.ADMITTED:
        address = address_of(context.peer())
        services.refusals.unauthorized(address and address[0], auth)
        raise _Failed("unauthorized", why_unauthorized(auth))
    if registry.draining and (refusal := registry.refusal("", Backlog(0.0))):
        context.set_trailing_metadata(((RETRY_AFTER, str(refusal.retry_after_seconds)),))
        raise _Failed("overloaded", refusal.message)


async def _request(context: ServicerContext, services: Services) -> bytes:
    """The only message of the client.

    Raises:
        _Failed: It does not come, or is too large.
    """
    limits = services.config.limits
    seconds = limits.idle_seconds or MAX_REQUEST_S
    try:
        async with asyncio.timeout(seconds):
            request: bytes = await context.read()
    except TimeoutError:
        raise _Failed("idle_timeout", f"nothing received for {seconds:g} s") from None
    if request is grpc.aio.EOF:
        raise _Failed("bad_message", "the request is missing")
    if len(request) > limits.max_message_bytes:
        text = f"the message has {len(request)} bytes; allowed: {limits.max_message_bytes}"
        raise _Failed("too_large", text)
    return request

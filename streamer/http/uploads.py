"""A request's body: received within bounds, kept on disk when it is long, gone with the request."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from typing import BinaryIO, cast

from starlette.requests import ClientDisconnect, Request

from streamer.config.limits import LimitsConfig
from streamer.http.refusals import Refused
from streamer.recordings.threads import in_thread

IN_MEMORY_BYTES = 1 << 20
"""A longer body goes to a temporary file without a name, which ends with its last user."""

MIN_BYTES_PER_SECOND = 4_096
"""Bytes per second. Slower uploads are cut off, because they occupy one of
`limits.max_concurrent_requests`. Live audio of 16 kHz and 16 bits is 32 kB/s, eight times this."""


def media_type(request: Request) -> str:
    """The Content-Type of the body without parameters; "" = no header."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def receive(request: Request, limits: LimitsConfig) -> AsyncGenerator[bytes, None]:
    """The body as it arrives.

    Raises:
        Refused: It is longer than allowed, or nothing came for too long.
        ClientDisconnect: The client went away.
    """
    allowed = limits.max_upload_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > allowed:
        raise _too_large(f"has {declared} bytes", allowed)
    received, more = 0, True
    clock = asyncio.get_running_loop().time
    began_s = clock()
    while more:
        message = await _next(request, limits.idle_seconds)
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        received += len(body)
        if received > allowed:
            raise _too_large(f"has over {allowed} bytes", allowed)
        if 0 < limits.idle_seconds < clock() - began_s - received / MIN_BYTES_PER_SECOND:
            raise _too_slow(f"less than {MIN_BYTES_PER_SECOND} bytes a second received")
        yield body
        more = bool(message.get("more_body", False))


async def spool(request: Request, limits: LimitsConfig) -> BinaryIO:
    """Receive the whole body into a file; returns it open for reading, at its beginning.

    Raises:
        Refused: It is longer than allowed, or nothing came for too long.
        ClientDisconnect: The client went away.
    """
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 – the caller closes it
    waiting = bytearray()
    try:
        async for chunk in receive(request, limits):
            waiting += chunk
            if len(waiting) >= IN_MEMORY_BYTES:
                # A disk may make its writers wait, and the event loop cannot.
                await in_thread(file.write, bytes(waiting))
                waiting.clear()
        await in_thread(file.write, bytes(waiting))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return cast("BinaryIO", file)


async def _next(request: Request, idle_s: float) -> dict[str, object]:
    try:
        async with asyncio.timeout(idle_s or None):
            return dict(await request.receive())
    except TimeoutError:
        raise _too_slow(f"nothing received for limits.idle_seconds ({idle_s:g})") from None


def _too_slow(why: str) -> Refused:
    return Refused(408, "upload_timeout", why, headers={"Connection": "close"})


def _too_large(what: str, allowed: int) -> Refused:
    return Refused(
        413, "too_large", f"the body {what}; allowed: limits.max_upload_bytes, {allowed}"
    )

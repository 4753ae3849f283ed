"""An answer that is sent bit by bit, as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from streamer.http.recording_request import RecordingRequest
from streamer.http.refusals import Refused

Emit = Callable[[object], Awaitable[None]]
"""Sends one event; waits while the client does not read."""


class EventStream(Response):
    """Runs its work while it is being sent, and ends with it.

    Args:
        request: Whose resources this takes over.
        work: Emits the events.
        describe: Makes the last event when the work fails: why no more follow.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        request: RecordingRequest,
        work: Callable[[Emit], Awaitable[None]],
        describe: Callable[[Refused], object],
    ) -> None:
        # Proxies are asked not to collect what is meant to arrive bit by bit.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._request = request
        self._work = work
        self._describe = describe
        # What has been opened, and what will be, ends with the answer and not with its beginning.
        request.resources = request.resources.pop_all()
        self._timeout_s = request.services.config.limits.send_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""

        async def send_body(body: bytes, *, more: bool = True) -> None:
            try:
                async with asyncio.timeout(self._timeout_s):
                    await send({"type": "http.response.body", "body": body, "more_body": more})
            except TimeoutError:
                raise ClientDisconnect from None  # it may be there, and does not read

        async def emit(event: object) -> None:
            await send_body(b"data: " + msgspec.json.encode(event) + b"\n\n")

        with self._request.resources:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            try:
                try:
                    await self._work(emit)
                except ClientDisconnect:
                    raise
                except Exception as error:  # of any type: the client gets an error
                    await emit(self._describe(self._request.refusal(error, self.status_code)))
                await send_body(b"", more=False)
            except ClientDisconnect:
                return

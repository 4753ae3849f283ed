"""One call, as an ASGI server: to the application, it is a WebSocket."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import unquote

from grpc import StatusCode
from grpc.aio import InternalError, ServicerContext

from streamer.rpc.incoming import IncomingMessages
from streamer.rpc.open_calls import SHUTTING_DOWN
from streamer.rpc.status import Status, status_of_http
from streamer.websocket.asgi import ASGIApp, ClientDisconnected, Message, Scope
from streamer.websocket.signals import ABORT, DIRECT, PING

RETRY_AFTER = "retry-after"
"""Behind a refusal, in the trailing metadata: seconds."""

FORWARDED_SCHEME = "x-forwarded-proto"
"""Of proxies. It would make a WebSocket of the call in traces."""

CODES: Mapping[int, StatusCode] = {code.value[0]: code for code in StatusCode}
"""The library's codes, by number."""

_log = logging.getLogger(__name__)


class Call:
    """One call.

    Args:
        app: Serves what needs a session.
        context: Of the call.
        path: Of the method: `/package.Service/Method`.
        max_message_bytes: Of a request.
        max_messages_per_second: Requests; 0 = no limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        context: ServicerContext,
        path: str,
        max_message_bytes: int,
        max_messages_per_second: int,
    ) -> None:
        self._app = app
        self._context = context
        self._path = path
        loop = asyncio.get_running_loop()
        self._incoming = IncomingMessages(context, max_message_bytes, max_messages_per_second, loop)
        self._status: int | None = None
        """None = the application has not said how the call ends."""
        self._details = ""

    async def serve(self) -> None:
        """Serve it until it is over; cancelled when the client is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._incoming.run())
                await self._app(self._scope(), self._incoming.receive, self._send)
                await self._incoming.discard()
                reading.cancel()
        except* Exception:
            _log.exception("the application failed")
        finally:
            self._incoming.stop()

    def end(self, *, cut_off: bool) -> None:
        """Set the status, when it has been served.

        Args:
            cut_off: Whether the server has cut it off, as of `OpenCalls.serve`.
        """
        if self._status is None and cut_off:
            self._status, self._details = Status.ABORTED, SHUTTING_DOWN
        status = Status.INTERNAL if self._status is None else self._status
        self._context.set_code(CODES[status])
        self._context.set_details(self._details)

    def _scope(self) -> Scope:
        metadata = metadata_of(self._context)
        return {
            "type": "websocket",
            "scheme": "grpc",
            "path": self._path,
            "root_path": "",
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode())
                for name, value in metadata.items()
                if name != FORWARDED_SCHEME
            ],
            "subprotocols": [],
            "client": address_of(self._context.peer()),
            ABORT: self._cut_off,
            DIRECT: self._incoming.deliver_directly,
            PING: self._incoming.ping,
        }

    def _cut_off(self) -> None:
        """The client does not read what is sent; it gets the status if it does so later."""
        self._status, self._details = Status.ABORTED, "the client does not read its events"

    async def _send(self, message: Message) -> None:
        """Carry out a message of the application.

        Raises:
            ClientDisconnected: The client is gone.
        """
        match message["type"]:
            case "websocket.accept":
                self._incoming.admit()
            case "websocket.send":
                try:
                    await self._context.write(message["bytes"])
                except InternalError:
                    raise ClientDisconnected("the call is over") from None
            case "websocket.close":
                self._status = message["code"]
                self._details = message.get("reason") or ""
            case "websocket.http.response.start":
                self._status = status_of_http(message["status"])
                headers = {name.decode(): value.decode() for name, value in message["headers"]}
                if RETRY_AFTER in headers:
                    self._context.set_trailing_metadata(((RETRY_AFTER, headers[RETRY_AFTER]),))
            case "websocket.http.response.body":
                self._details += message.get("body", b"").decode()


def metadata_of(context: ServicerContext) -> Mapping[str, str]:
    """The metadata of a call, but for what is binary; of several with a name, the last."""
    given = context.invocation_metadata() or ()
    return {name: value for name, value in given if isinstance(value, str)}


def address_of(peer: str) -> tuple[str, int] | None:
    """The host and the port of a client; None = it has none.

    Args:
        peer: As gRPC has it: `ipv4:127.0.0.1:5000`, `ipv6:[::1]:5000` (with the brackets as
            `%5B` and `%5D`), or `unix:`.
    """
    kind, _, address = unquote(peer).partition(":")
    host, _, port = address.rpartition(":")
    if kind not in ("ipv4", "ipv6") or not port.isdecimal():
        return None
    return host.strip("[]"), int(port)

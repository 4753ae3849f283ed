"""The application of one connection: runs it, and carries out what it sends (ASGI 3.0)."""

import logging
from http import HTTPStatus

from websockets.frames import CloseCode

from streamer.websocket.asgi import ASGIApp, ClientDisconnected, Message, Receive, Scope
from streamer.websocket.handshake import Acceptance, HandshakeRefusal, refusal
from streamer.websocket.writing import OutputWriter, Phase

_log = logging.getLogger(__name__)


class Application:
    """Runs the application.

    Args:
        app: An ASGI application.
        receive: Returns the next message for it.
        writer: Writes what it sends.
        acceptance: The answer with which it can accept the connection.
    """

    def __init__(
        self, app: ASGIApp, receive: Receive, writer: OutputWriter, acceptance: Acceptance
    ) -> None:
        self._app = app
        self._receive = receive
        self._writer = writer
        self._acceptance = acceptance
        self._refusal: HandshakeRefusal | None = None
        """The refusal of which the application has not sent the whole body yet."""

    async def run(self, scope: Scope) -> None:
        """Run until it returns; then the connection ends, if it has not ended before."""
        code = CloseCode.INTERNAL_ERROR
        try:
            await self._app(scope, self._receive, self._send)
            code = CloseCode.NORMAL_CLOSURE
            if self._writer.phase is Phase.HANDSHAKE:
                _log.error("the application returned without an answer to the upgrade request")
        except ClientDisconnected:
            pass
        except Exception:
            _log.exception("the application failed")
        finally:
            self._end(code)

    def _end(self, code: CloseCode) -> None:
        if self._writer.phase is Phase.HANDSHAKE:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            self._writer.refuse(refusal(status, status.phrase.encode()))
        elif self._writer.phase is Phase.OPEN:
            self._writer.close(code)

    async def _send(self, message: Message) -> None:
        """Carry out a message of the application.

        Raises:
            ClientDisconnected: The connection was closed, by either side.
            RuntimeError: A message of this type cannot be sent now.
        """
        writer = self._writer
        if not writer.writable.is_set():
            await writer.writable.wait()
        if writer.phase is Phase.OPEN:
            self._send_when_open(message)
        elif writer.phase is Phase.HANDSHAKE:
            self._answer(message)
        elif message["type"] != "websocket.close" or not writer.closed_by_client:
            # After the client's close, the application's has no effect, and is no mistake.
            raise ClientDisconnected("the connection is closed")

    def _send_when_open(self, message: Message) -> None:
        match message["type"]:
            case "websocket.send":
                data, text = message.get("bytes"), message.get("text")
                if data is not None:
                    self._writer.send_binary(data)
                elif text is not None:
                    self._writer.send_text(text.encode())
                else:
                    raise RuntimeError("'websocket.send' has neither 'bytes' nor 'text'")
            case "websocket.close":
                code = message.get("code", CloseCode.NORMAL_CLOSURE)
                self._writer.close(code, message.get("reason") or "")
            case unexpected:
                raise RuntimeError(f"unexpected ASGI message '{unexpected}' after the handshake")

    def _answer(self, message: Message) -> None:
        """Accept or refuse the connection."""
        if self._refusal is not None:
            self._go_on_refusing(self._refusal, message)
            return
        headers = message.get("headers") or ()
        match message["type"]:
            case "websocket.accept":
                answer = self._acceptance.response(message.get("subprotocol"), headers)
                self._writer.accept(answer)
            case "websocket.close":
                self._writer.refuse(refusal(HTTPStatus.FORBIDDEN))
            case "websocket.http.response.start":
                self._refusal = HandshakeRefusal(message["status"], headers)
            case unexpected:
                raise RuntimeError(f"unexpected ASGI message '{unexpected}' in the handshake")

    def _go_on_refusing(self, answer: HandshakeRefusal, message: Message) -> None:
        if message["type"] != "websocket.http.response.body":
            raise RuntimeError(f"unexpected ASGI message '{message['type']}' in a refusal")
        answer.add(message.get("body", b""))
        if not message.get("more_body", False):
            self._writer.refuse(answer.response())

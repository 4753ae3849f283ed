"""The reading side of a socket: messages in, commands for the processor out.

A reader runs for the whole life of its socket, because a disconnect is only ever reported to
whoever is receiving.
"""

import asyncio

from starlette.types import Message
from starlette.websockets import WebSocket

from streamer.commands import NORMAL, POLICY, TOO_BIG, Command, failed
from streamer.config import LimitsConfig
from streamer.inbox import Inbox
from streamer.messages import (
    BadRequest,
    Failed,
    Flush,
    KeepAlive,
    Start,
    Stop,
    decode_request,
)
from streamer.protocol import Action, Input, Protocol, State
from streamer.services import Services
from streamer.validation import show


class Reader:
    """Reads one socket.

    Args:
        socket: An accepted socket.
        inbox: Takes the commands and the audio, in order.
        services: What all sessions share.
    """

    def __init__(self, socket: WebSocket, inbox: Inbox[Command], services: Services) -> None:
        self._socket = socket
        self._inbox = inbox
        self._vad = services.config.vad
        self._models = services.pools.names
        self._limits: LimitsConfig = services.config.limits
        self._protocol = Protocol()

    async def run(self) -> None:
        """Turn what arrives into commands, until the socket is closed by either side."""
        clock = asyncio.get_running_loop().time
        opened = last = clock()
        while True:
            try:
                async with asyncio.timeout_at(self._deadline(opened, last)):
                    message = await self._socket.receive()
            except TimeoutError:
                last = clock()
                await self._time_out(last - opened)
                continue
            if message["type"] == "websocket.disconnect":
                self._protocol.step(Input.DISCONNECTED)
                return
            await self._take(message)
            last = clock()

    def _deadline(self, opened: float, last: float) -> float | None:
        """When to stop waiting for the next message, on the loop's clock."""
        if self._protocol.state is State.CLOSING:
            return None
        idle, longest = self._limits.idle_seconds, self._limits.max_session_seconds
        ends = [last + idle] if idle else []
        ends += [opened + longest] if longest else []
        return min(ends, default=None)

    async def _time_out(self, open_s: float) -> None:
        idle, longest = self._limits.idle_seconds, self._limits.max_session_seconds
        if longest and open_s >= longest:
            text = f"the session has lasted limits.max_session_seconds ({longest:g})"
            failure = failed("session_too_long", text, fatal=True)
            await self._step(Input.SESSION_TOO_LONG, failure=failure, close_code=POLICY)
        elif self._inbox.idle:  # else it is the client that waits
            text = f"nothing received for limits.idle_seconds ({idle:g})"
            failure = failed("idle_timeout", text, fatal=True)
            await self._step(Input.IDLE_TIMEOUT, failure=failure)

    async def _take(self, message: Message) -> None:
        data, text = message.get("bytes"), message.get("text")
        if data is not None:
            await self._hear(data)
        elif text is not None:
            await self._obey(text)

    async def _hear(self, data: bytes) -> None:
        allowed = self._limits.max_message_bytes
        if len(data) > allowed:
            await self._refuse(len(data), "limits.max_message_bytes", allowed)
        elif data:  # an empty message holds no audio, so it changes nothing
            await self._step(Input.AUDIO, audio=data, failure=_UNEXPECTED_AUDIO)

    async def _obey(self, text: str) -> None:
        size, allowed = len(text.encode()), self._limits.max_text_bytes
        if size > allowed:
            await self._refuse(size, "limits.max_text_bytes", allowed)
            return
        try:
            request = decode_request(text, max_channels=self._limits.max_channels)
            if isinstance(request, Start):
                self._check(request)
        except BadRequest as error:
            given = Input.BAD_FORMAT if error.code == "bad_format" else Input.BAD_MESSAGE
            await self._step(given, failure=failed(error.code, str(error)))
            return
        match request:
            case Start():
                await self._step(Input.START, start=request)
            case Flush():
                await self._step(Input.FLUSH, failure=_no_stream("flush"))
            case KeepAlive():
                await self._step(Input.KEEP_ALIVE)
            case Stop(disconnect=disconnect):
                given = Input.STOP_AND_DISCONNECT if disconnect else Input.STOP
                await self._step(given, failure=_no_stream("stop"))

    def _check(self, start: Start) -> None:
        """What the schema alone cannot say."""
        if start.model is not None and start.model not in self._models:
            allowed = ", ".join(self._models)
            raise BadRequest("bad_message", f"'model' is {show(start.model)}; allowed: {allowed}")
        if problem := start.vad.over(self._vad).problem():
            raise BadRequest("bad_message", f"'vad': {problem}")

    async def _refuse(self, size: int, limit: str, allowed: int) -> None:
        text = f"the message has {size} bytes; allowed: {limit}, {allowed}"
        failure = failed("too_large", text, fatal=True)
        await self._step(Input.TOO_LARGE, failure=failure, close_code=TOO_BIG)

    async def _step(
        self,
        given: Input,
        *,
        audio: bytes | None = None,
        start: Start | None = None,
        failure: Failed | None = None,
        close_code: int = NORMAL,
    ) -> None:
        for action in self._protocol.step(given):
            if action is Action.FEED:
                assert audio is not None
                await self._inbox.put_audio(audio)
            else:
                await self._inbox.put(Command(action, start, failure, close_code))


def _no_stream(request: str) -> Failed:
    return failed("unexpected_message", f"{request}: no stream is open; send 'start' first")


_UNEXPECTED_AUDIO = failed(
    "unexpected_message", "audio: no stream is open; send 'start' with its format first"
)

"""A client of our own service, without generated code; used as `Client` of `tools.harness.streams`.

Its events are those of the WebSocket, so that they can be compared, and checked by the same rules.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from streamer.rpc.descriptors import message_class
from tools.harness.json_socket import Event, pieces
from tools.harness.ports import free_port
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import Audio
from tools.harness.streams import check_stream

REQUEST = message_class("streamer.v1.StreamRequest")
RESPONSE = message_class("streamer.v1.StreamResponse")
STREAM, CHUNKS = "/streamer.v1.Streaming/Stream", "/streamer.v1.Streaming/StreamChunks"

Metadata = Iterable[tuple[str, str]]


def with_port(config: Mapping[str, Any], **grpc_config: Any) -> dict[str, Any]:
    """A configuration with a free port for gRPC."""
    return {**config, "grpc": {"port": free_port(), **grpc_config}}


def address_of(server: Server) -> str:
    """Host and port for gRPC of a server."""
    (address,) = server.get("/api/v1/info").json()["dialects"]["streamer"]
    return str(address).partition("://")[2]


def format_of(audio: Audio) -> dict[str, Any]:
    """The `format` of a `start`."""
    return {**audio.format, "encoding": audio.encoding.upper()}


def as_event(response: Message) -> Event:
    """A response as the WebSocket has it in JSON; without words if there are none."""
    kind = response.WhichOneof("event")
    fields = MessageToDict(
        getattr(response, kind),
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    output = fields.pop("output", {})
    event = {"type": kind, **fields, **output}
    if kind in ("segment", "interim"):
        event["is_final"] = kind == "segment"
    for name in ("words", "flushed"):
        if kind == "segment" and not event[name]:
            del event[name]
    if kind == "started":
        event.setdefault("vad", None)
    return event


class RpcClient:
    """One call.

    Attributes:
        call: Of the library.
    """

    def __init__(self, call: Any) -> None:
        self.call = call

    async def start(self, audio: Audio | None = None, **fields: Any) -> None:
        """Send `start` for this audio's format; 16 kHz, 16 bits, mono when there is none."""
        await self.send_request("start", format=format_of(audio or Audio(b"")), **fields)

    async def send_request(self, request: str, **fields: Any) -> None:
        """Send a request, with its fields."""
        await self.call.write(REQUEST(**{request: fields}))

    async def send(self, data: bytes, sizes: Iterable[int] = (65_536,)) -> None:
        """Send audio in messages of these sizes, over and over."""
        for piece in pieces(data, sizes):
            await self.call.write(REQUEST(audio=piece))

    async def next_event(self) -> Event:
        """Wait for the next event."""
        event = await self._next()
        assert event is not None, await self.status()
        return event

    async def events_until(self, kind: str, count: int = 1) -> list[Event]:
        """Wait for events of a type; returns all events up to the last of them."""
        events: list[Event] = []
        while sum(event["type"] == kind for event in events) < count:
            events.append(await self.next_event())
        return events

    async def events_until_close(self) -> list[Event]:
        """Wait until the call is over; returns all events until then."""
        events = []
        while (event := await self._next()) is not None:
            events.append(event)
        return events

    async def finish(self) -> list[Event]:
        """Close the direction of the client; returns all events that still come."""
        await self.call.done_writing()
        return await self.events_until_close()

    async def status(self) -> tuple[str, str]:
        """The name of the status, and its details; waits for them."""
        async with asyncio.timeout(TIMEOUT_S):
            return (await self.call.code()).name, await self.call.details()

    async def _next(self) -> Event | None:
        async with asyncio.timeout(TIMEOUT_S):
            try:
                response = await self.call.read()
            except grpc.aio.AioRpcError:  # the status of the call has it, too
                return None
        return None if response is grpc.aio.EOF else as_event(response)


def call_on(channel: grpc.aio.Channel, method: str = STREAM, metadata: Metadata = ()) -> RpcClient:
    """Begin a call."""
    make = channel.stream_stream(
        method,
        request_serializer=REQUEST.SerializeToString,
        response_deserializer=RESPONSE.FromString,
    )
    return RpcClient(make(metadata=tuple(metadata)))


@asynccontextmanager
async def channel_to(
    server: Server | str, options: Sequence[tuple[str, Any]] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """A connection to a server, or to an address."""
    address = server if isinstance(server, str) else await asyncio.to_thread(address_of, server)
    async with grpc.aio.insecure_channel(address, options=options) as channel:
        yield channel


@asynccontextmanager
async def rpc_client(
    server: Server | str,
    method: str = STREAM,
    metadata: Metadata = (),
    options: Sequence[tuple[str, Any]] = (),
) -> AsyncIterator[RpcClient]:
    """One call on a connection of its own."""
    # Channels with the same arguments would share one.
    own = ("grpc.use_local_subchannel_pool", 1)
    async with channel_to(server, (own, *options)) as channel:
        client = call_on(channel, method, metadata)
        try:
            yield client
        finally:
            client.call.cancel()


async def stream_rpc(
    server: Server | str,
    audio: Audio,
    method: str = STREAM,
    sizes: Iterable[int] = (65_536,),
    **start: Any,
) -> list[Event]:
    """Stream audio in a call of its own, check the events, and return them."""
    async with rpc_client(server, method) as client:
        await client.start(audio, **start)
        await client.send(audio.data, sizes)
        events = await client.finish()
        assert await client.status() == ("OK", "")
    check_stream(events)
    assert events[-1]["audio_seconds"] == audio.seconds
    return events

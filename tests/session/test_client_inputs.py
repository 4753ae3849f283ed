"""What a client sends becomes actions in the inbox and events in the outbox."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamer.access.refusal_log import RefusalLog
from streamer.access.tokens import Access, AuthState
from streamer.audio.format import AudioFormat
from streamer.config.schema import Config, LimitsConfig
from streamer.observe.monitor import Monitor
from streamer.pipeline.outbox import Outbox
from streamer.protocol.actions import Begin, Close, EndSegments, QueuedAction, SendError
from streamer.protocol.inputs import AudioReceived, FlushRequested, Input, StartRequested
from streamer.protocol.messages import BadRequest, ErrorEvent, Event, GoingAway, Start, WarningEvent
from streamer.services import Services
from streamer.session.client_inputs import ClientInputs
from streamer.session.deadlines import Expired
from streamer.session.dialect import Dialect
from streamer.session.inbox import Inbox

START = Start(format=AudioFormat(16_000))
TOKEN = "correct-horse"


class Scripted:
    """A dialect whose frames are keys of a script."""

    segmentation = "speech"

    def __init__(self, **script: list[Input]) -> None:
        self._script = script

    def read(self, frame: str | bytes) -> Iterable[Input]:
        yield from self._script.get(str(frame), [])
        if frame == "bad":
            raise BadRequest("bad_message", "it is bad")


class Client:
    def __init__(self, auth: AuthState = AuthState.ADMITTED, **script: list[Input]) -> None:
        limits = LimitsConfig(max_text_bytes=256)
        services = SimpleNamespace(
            config=Config(limits=limits),
            pools=SimpleNamespace(names=["one"]),
            access=Access([TOKEN], lambda: 0.0),
            monitor=Monitor(),
            refusals=RefusalLog(lambda: 0.0),
        )
        self.inbox: Inbox[QueuedAction] = Inbox(1 << 20, lambda: 0.0)
        self.outbox = Outbox(Monitor())
        dialect = cast("Dialect", Scripted(**script))
        self.inputs = ClientInputs(
            dialect, self.inbox, self.outbox, cast("Services", services), auth, None, lambda: False
        )

    async def queued(self) -> list[Any]:
        """What lies in the inbox, and nothing else."""
        found: list[Any] = []
        while self.inbox.held_bytes():
            found.append(await self.inbox.get())
        return found

    async def posted(self) -> Event | Close:
        return await self.outbox.get()


async def test_inputs_of_one_frame_are_executed_in_order() -> None:
    frame: list[Input] = [StartRequested(START), AudioReceived(b"12"), FlushRequested()]
    client = Client(all=frame)
    client.inputs.on_text("all")
    assert await client.queued() == [Begin(START), b"12", EndSegments()]


async def test_a_frame_that_breaks_off_has_no_effect_but_its_error() -> None:
    client = Client(bad=[StartRequested(START), AudioReceived(b"12")])
    client.inputs.on_text("bad")
    (report,) = await client.queued()
    assert isinstance(report, SendError)
    assert (report.failure.code, report.failure.message) == ("bad_message", "it is bad")


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_without_a_token_the_first_start_ends_the_session(token: str | None) -> None:
    start = Start(format=AudioFormat(16_000), token=token)
    client = Client(AuthState.UNKNOWN, start=[StartRequested(start)])
    client.inputs.on_text("start")
    report, close = await client.queued()
    assert report.failure.code == "unauthorized"
    assert close.code == 1008
    assert client.inputs.over


async def test_audio_before_the_token_ends_the_session() -> None:
    client = Client(AuthState.UNKNOWN)
    client.inputs.on_binary(b"audio")
    assert (await client.queued())[0].failure.code == "unauthorized"


async def test_a_token_in_the_first_start_admits() -> None:
    start = Start(format=AudioFormat(16_000), token=TOKEN)
    client = Client(AuthState.UNKNOWN, start=[StartRequested(start)], flush=[FlushRequested()])
    client.inputs.on_text("start")
    client.inputs.on_text("flush")
    assert await client.queued() == [Begin(start), EndSegments()]


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (Start(format=AudioFormat(16_000), model="two"), "bad_message"),
        (Start(format=AudioFormat(16_000, channels=99)), "bad_format"),
    ],
)
async def test_a_start_is_checked_whatever_dialect_made_it(start: Start, code: str) -> None:
    client = Client(start=[StartRequested(start)])
    client.inputs.on_text("start")
    (report,) = await client.queued()
    assert report.failure.code == code


async def test_a_text_that_is_too_large_ends_the_session() -> None:
    client = Client()
    client.inputs.on_text("x" * 257)
    report, close = await client.queued()
    assert report.failure.code == "too_large"
    assert close.code == 1009


async def test_draining_is_announced_at_once() -> None:
    client = Client(start=[StartRequested(START)])
    client.inputs.on_text("start")
    client.inputs.on_drain(12.5)
    event = await client.posted()
    assert isinstance(event, GoingAway)
    assert event.deadline_seconds == 12.5
    assert not client.inputs.over
    client.inputs.on_drain_deadline()
    assert (await client.queued())[-1].code == 1012


async def test_an_overload_overtakes_what_waits() -> None:
    client = Client(start=[StartRequested(START)])
    client.inputs.on_text("start")
    client.inputs.on_deadline(Expired.OVERLOADED)
    failure, close = await client.posted(), await client.posted()
    assert isinstance(failure, ErrorEvent)
    assert isinstance(close, Close)
    assert (failure.code, close.code) == ("overloaded", 1013)


async def test_lagging_is_a_warning_once() -> None:
    client = Client()
    client.inputs.on_deadline(Expired.LAGGING)
    client.inputs.on_slowed("limits.max_messages_per_second", 10)
    client.inputs.on_drain(1.0)
    first, second = await client.posted(), await client.posted()
    assert isinstance(first, WarningEvent)
    assert isinstance(second, GoingAway)

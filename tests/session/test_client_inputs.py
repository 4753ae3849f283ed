"""What a client sends becomes actions in the inbox and events in the outbox."""

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamer.access.refusal_log import RefusalLog
from streamer.access.tokens import Access, AuthState
from streamer.audio.format import AudioFormat
from streamer.config.deprecations import Deprecation
from streamer.config.limits import LimitsConfig
from streamer.config.schema import Config
from streamer.observe.monitor import Monitor
from streamer.pipeline.outbox import MAX_WAITING, Outbox
from streamer.protocol.actions import (
    Begin,
    BeginAgain,
    Close,
    EndSegments,
    Finish,
    Outgoing,
    QueuedAction,
    Reconfigure,
    Reply,
    SendError,
)
from streamer.protocol.events import ErrorEvent, GoingAway, WarningEvent
from streamer.protocol.inputs import (
    AudioReceived,
    ConfigureRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
    StopRequested,
)
from streamer.protocol.requests import BadRequest, Configure, Start, VadOptions
from streamer.services import Services
from streamer.session.client_inputs import ClientInputs
from streamer.session.deadlines import Expired
from streamer.session.dialect import Dialect
from streamer.session.inbox import ACTION_BYTES, Inbox

START = Start(format=AudioFormat(16_000))
TOKEN = "correct-horse"


RATES: dict[str, int | None] = {"one": 16_000, "slow": 8_000, "loading": None}
"""Of the models, in Hz."""


class _Pools:
    names = tuple(RATES)

    def __getitem__(self, model: str | None) -> Any:
        return SimpleNamespace(sample_rate=RATES[model or "one"])


class Scripted:
    """A dialect whose frames are keys of a script."""

    segmentation = "speech"
    max_text_bytes: int | None = None
    idle_seconds: float | None = None
    max_lag_seconds: float | None = None

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
            pools=_Pools(),
            access=Access([TOKEN], lambda: 0.0),
            monitor=Monitor(),
            refusals=RefusalLog(lambda: 0.0),
        )
        self.inbox: Inbox[QueuedAction] = Inbox(1 << 20, lambda: 0.0)
        self.outbox = Outbox(Monitor())
        dialect = cast("Dialect", Scripted(**script))
        self.inputs = ClientInputs(
            dialect,
            limits,
            self.inbox,
            self.outbox,
            cast("Services", services),
            auth,
            None,
            lambda: False,
        )

    async def queued(self) -> list[Any]:
        """What lies in the inbox, and nothing else."""
        found: list[Any] = []
        while self.inbox.held_bytes():
            found.append(await self.inbox.get())
        return found

    async def posted(self) -> Outgoing:
        return await self.outbox.get()


async def test_inputs_of_one_frame_are_executed_in_order() -> None:
    frame: list[Input] = [StartRequested(START), AudioReceived(b"12"), FlushRequested()]
    client = Client(all=frame)
    client.inputs.on_text("all")
    assert await client.queued() == [Begin(START), b"12", EndSegments()]


async def test_a_dialects_own_answer_waits_for_its_turn() -> None:
    frame: list[Input] = [StartRequested(START), AudioReceived(b"12"), ReplyRequested("done")]
    client = Client(all=frame)
    client.inputs.on_text("all")
    assert await client.queued() == [Begin(START), b"12", Reply("done")]


async def test_an_answer_to_audio_does_not_wait_for_later_audio() -> None:
    """Unless it can take its turn: behind other actions, or behind audio that is sufficient."""
    piece: list[Input] = [AudioReceived(b"12"), ReplyRequested("heard", before_audio=True)]
    client = Client(start=[StartRequested(START)], piece=piece, flush=[FlushRequested()])
    answer = Reply("heard", before_audio=True)
    client.inputs.on_text("start")
    assert await client.queued() == [Begin(START)]
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(client.inbox.get(least_bytes=6))
        await asyncio.sleep(0)
        client.inputs.on_text("piece")
        client.inputs.on_text("piece")
        assert [await client.posted(), await client.posted()] == [answer, answer]
        client.inputs.on_text("piece")
    assert [taken.result(), *await client.queued()] == [b"121212", answer]
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(client.inbox.get(least_bytes=6))
        await asyncio.sleep(0)
        client.inputs.on_text("flush")
        client.inputs.on_text("piece")
    assert [taken.result(), *await client.queued()] == [EndSegments(), b"12", answer]


async def test_answers_that_are_not_read_are_bounded() -> None:
    client = Client(start=[StartRequested(START)], ask=[ReplyRequested("?", before_audio=True)])
    client.inputs.on_text("start")
    assert await client.queued() == [Begin(START)]
    async with asyncio.TaskGroup() as tasks:
        taken = tasks.create_task(client.inbox.get(least_bytes=6))
        await asyncio.sleep(0)
        for _ in range(MAX_WAITING + 2):
            client.inputs.on_text("ask")
    answer = Reply("?", before_audio=True)
    assert [taken.result(), *await client.queued()] == [answer, answer]


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


async def test_what_a_long_message_asks_for_counts_as_much_as_the_message() -> None:
    name, audio = "n" * 200, "a" * 200
    frames: dict[str, list[Input]] = {
        name: [ReplyRequested("done")],
        audio: [StartRequested(START), AudioReceived(b"12")],
    }
    client = Client(AuthState.ADMITTED, **frames)
    client.inputs.on_text(name)
    held_bytes = client.inbox.held_bytes()
    assert held_bytes > ACTION_BYTES + len(name)
    client.inputs.on_text(audio)
    assert client.inbox.held_bytes() - held_bytes < ACTION_BYTES + len(audio)
    assert len(await client.queued()) == 3
    assert client.inbox.held_bytes() == 0


PADDED = VadOptions(prefix_padding_ms=2_000)
SHORT = Configure(vad=VadOptions(max_segment_ms=1_000))
"""Cannot be together."""


async def test_a_model_of_another_rate_is_refused_with_all_that_came_with_it() -> None:
    client = Client(
        start=[StartRequested(START)],
        slow=[ConfigureRequested(Configure(model="slow", vad=PADDED))],
        short=[ConfigureRequested(SHORT)],
    )
    for name in ("start", "slow", "short"):
        client.inputs.on_text(name)
    begun, refused, configured = await client.queued()
    assert begun == Begin(START)
    assert refused.failure.code == "bad_message"
    assert refused.failure.message.startswith("'model' is \"slow\", which takes audio at 8000 Hz")
    assert configured == Reconfigure(SHORT)


async def test_a_model_that_is_still_loading_is_left_to_the_executor() -> None:
    loading = Configure(model="loading")
    client = Client(start=[StartRequested(START)], loading=[ConfigureRequested(loading)])
    client.inputs.on_text("start")
    client.inputs.on_text("loading")
    assert (await client.queued())[1] == Reconfigure(loading)


async def test_what_is_refused_without_a_stream_is_not_kept() -> None:
    client = Client(
        start=[StartRequested(START)],
        stop=[StopRequested()],
        padded=[ConfigureRequested(Configure(vad=PADDED))],
        audio=[AudioReceived(b"12")],
        short=[ConfigureRequested(SHORT)],
    )
    for name in ("start", "stop", "padded", "audio", "short"):
        client.inputs.on_text(name)
    actions = await client.queued()
    assert [type(action) for action in actions] == [
        Begin,
        Finish,
        SendError,
        BeginAgain,
        bytes,
        Reconfigure,
    ]
    assert actions[2].failure.code == "unexpected_message"


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


async def test_old_names_are_a_warning_once_and_the_stream_begins() -> None:
    old = Deprecation("vad.silence_ms", "vad.min_silence_ms", "0.3", "0.5")
    client = Client(
        start=[StartRequested(START, (old,))],
        configure=[ConfigureRequested(Configure(words=True), (old,))],
        plain=[StartRequested(START)],
    )
    for frame in ("plain", "start", "configure"):
        client.inputs.on_text(frame)
    client.inputs.on_drain(1.0)
    warning, after = await client.posted(), await client.posted()
    assert isinstance(warning, WarningEvent)
    assert (warning.code, warning.message) == ("deprecated_field", str(old))
    assert isinstance(after, GoingAway)
    assert isinstance((await client.queued())[0], Begin)


async def test_who_is_not_admitted_hears_of_no_old_names() -> None:
    old = Deprecation("vad.silence_ms", "vad.min_silence_ms", "0.3", "0.5")
    client = Client(AuthState.UNKNOWN, start=[StartRequested(START, (old,))])
    client.inputs.on_text("start")
    refused, _ = await client.queued()
    assert isinstance(refused, SendError)
    assert not client.outbox._items

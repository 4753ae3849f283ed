"""The tasks of a session: who owns which, and how each ends, in three cases.

The session is the server's own, in simulated time. A task factory keeps what is created, by whom,
and in which turn of the event loop it ends.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from types import CoroutineType
from typing import Any, Literal, NamedTuple, cast

from streamer.config.schema import Config
from streamer.observe.monitor import Monitor
from tools.docs.scripted_socket import ScriptedSocket, services_of
from tools.docs.scripted_workers import RATE, PlannedBatch, ScriptedWorkers
from tools.harness.virtual_time import VirtualTimeLoop

BODY = "Reader.run"
"""The coroutine in which the session's own task waits."""

AUDIO_S = 30
"""Seconds that the client sends at once: more than the inbox and the results that may wait hold."""

SLOW_S = 600.0
"""Seconds that a worker takes for a segment: no result comes while the session is watched."""

MOST_TURNS = 100
"""Turns of the event loop in which a session has ended, if it ends at all."""

Outcome = Literal["returns", "raises", "cancelled"]


@dataclass(eq=False)
class SeenTask:
    """A task of the session.

    Attributes:
        name: Of the coroutine.
        owner: The task in which it was created; None = it is the session's own.
        turn: In which turn of the event loop it ended, counted from the cause on.
        outcome: How it ended.
    """

    name: str
    owner: "SeenTask | None"
    turn: int = 0
    outcome: Outcome = "returns"


class TaskRecorder:
    """Keeps the tasks that are created from now on, and how they end.

    Attributes:
        seen: Each with the task of the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.seen: dict[asyncio.Task[Any], SeenTask] = {}
        self._loop = loop
        self._turn = 0
        self._body: tuple[Any, SeenTask] | None = None
        loop.set_task_factory(self._create)

    def count_turns(self) -> None:
        """The cause is there: count the turns of the event loop from now on."""
        if self._body is None:
            self._find_body()
        self._turn += 1
        self._look_at_body()
        if self._turn < MOST_TURNS and any(not task.done() for task in self.seen):
            self._loop.call_soon(self.count_turns)

    def tasks(self) -> list[SeenTask]:
        """All of them, and the body, in the order of creation."""
        root, *others = self.seen.values()
        assert self._body is not None
        return [root, self._body[1], *others]

    def _find_body(self) -> None:
        """The reader is no task of its own: it runs in that of the session."""
        root = next(iter(self.seen))
        coroutine: Any = root.get_coro()
        while coroutine.cr_code.co_qualname != BODY:
            coroutine = coroutine.cr_await
        self._body = coroutine, SeenTask(BODY, self.seen[root])

    def _look_at_body(self) -> None:
        assert self._body is not None
        coroutine, seen = self._body
        if not seen.turn and coroutine.cr_frame is None:
            seen.turn = self._turn
            # The group of the tasks cancels it when one of them has failed before.
            failed = any(each.outcome == "raises" for each in self.seen.values())
            seen.outcome = "cancelled" if failed else "returns"

    def _create(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: "Coroutine[Any, Any, Any] | Generator[Any, None, Any]",
        **options: object,
    ) -> "asyncio.Task[Any]":
        assert isinstance(coroutine, CoroutineType)
        given = cast("dict[str, Any]", options)
        task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **given)
        owner = asyncio.current_task(loop)
        self.seen[task] = SeenTask(
            coroutine.cr_code.co_qualname, self.seen.get(owner) if owner else None
        )
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[Any]") -> None:
        seen = self.seen[task]
        seen.turn = self._turn
        if task.cancelled():
            seen.outcome = "cancelled"
        elif task.exception() is not None:
            seen.outcome = "raises"


class DefectiveMonitor(Monitor):
    """A monitor that may have a defect."""

    broken = False

    def received(self, size: int, media_s: float) -> None:
        """Count, or raise once."""
        if self.broken:
            self.broken = False
            raise ZeroDivisionError


Cause = Callable[[ScriptedSocket, DefectiveMonitor], None]


class SessionEnd(NamedTuple):
    """A way in which a session ends."""

    title: str
    audio_s: int
    """Seconds that the client has sent at once before it."""
    cause: Cause


def _close(socket: ScriptedSocket, _: DefectiveMonitor) -> None:
    socket.close()


def _lose(socket: ScriptedSocket, _: DefectiveMonitor) -> None:
    socket.gone.set()


def _break(socket: ScriptedSocket, monitor: DefectiveMonitor) -> None:
    monitor.broken = True
    socket.audio(bytes(2 * RATE))


ENDS = (
    SessionEnd("the client\ncloses", 1, _close),
    SessionEnd("the connection\nis lost while\nnothing is read", AUDIO_S, _lose),
    SessionEnd("a counter\nraises", 1, _break),
)


async def _tasks_of(end: SessionEnd) -> list[SeenTask]:
    loop = asyncio.get_running_loop()
    monitor = DefectiveMonitor(loop.time)
    workers = ScriptedWorkers(lambda segments: PlannedBatch(SLOW_S, [{} for _ in segments]), 0.0)
    async with workers.pool(1, monitor) as pool:
        socket = ScriptedSocket()
        session = socket.open_session(services_of(Config(), pool, monitor), "chunks")
        recorder = TaskRecorder(loop)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(session.run())
            socket.request(request="start", format={"sample_rate": RATE})
            for _ in range(end.audio_s):
                socket.audio(bytes(2 * RATE))
            await asyncio.sleep(1)
            end.cause(socket, monitor)
            recorder.count_turns()
        loop.set_task_factory(None)
    return recorder.tasks()


def tasks_of(end: SessionEnd) -> list[SeenTask]:
    """The tasks of a session that ends so: each behind its owner, in the order of creation."""
    logging.disable()  # the session reports what has failed
    try:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return _as_tree(runner.run(_tasks_of(end)), None)
    finally:
        logging.disable(logging.NOTSET)


def _as_tree(tasks: Sequence[SeenTask], owner: SeenTask | None) -> list[SeenTask]:
    return [
        each for task in tasks if task.owner is owner for each in (task, *_as_tree(tasks, task))
    ]

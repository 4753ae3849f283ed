"""The workers of a pool that come and go: remote ones, and local ones that stand in for them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from streamer.inference.elastic import Elastic, Load, fallback_workers
from streamer.inference.supervisor import Supervisor
from streamer.inference.worker_program import LOCAL, Program

_log = logging.getLogger(__name__)

PERIOD_S = 1.0
"""Seconds between two looks at the load."""


@dataclass(frozen=True, slots=True)
class CrewPlan:
    """How many workers of which kind come and go.

    Attributes:
        program: Of the remote worker of a number, from 0.
        workers: Remote workers at first.
        least: Remote workers, at least.
        most: Remote workers, at most.
        spare: Local workers that may stand in for remote ones.
    """

    program: Callable[[int], Program]
    workers: int
    least: int
    most: int
    spare: int


class Hire(Protocol):
    """Makes the supervisor of a worker; nothing runs yet."""

    def __call__(
        self, number: int, program: Program, *, needed: bool, on_state: Callable[[], None]
    ) -> Supervisor:
        """Arguments as of `Supervisor`."""


Tracked = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]
"""Wraps the body of a task, so that the task is counted."""


@dataclass(eq=False, slots=True)
class _Member:
    supervisor: Supervisor
    task: asyncio.Task[None]
    leaving: bool = False

    def leave(self) -> None:
        """Go when the present job is done; without one, at once."""
        self.leaving = True
        if self.supervisor.alive:
            self.supervisor.retire()
        else:
            self.task.cancel()


class Crew:
    """Keeps as many workers as the load asks for. Its maker runs it.

    Args:
        model: Its name, for the log.
        plan: The numbers.
        first_number: Numbers of workers from this one on are its own.
        hire: Makes a supervisor.
        load: Returns the expected queueing time in seconds, the workers that run jobs, and the
            other workers of the pool that are alive.
        on_change: Called when the state of a worker has changed.
        tracked: Counts the task of each worker.
    """

    def __init__(
        self,
        model: str,
        plan: CrewPlan,
        first_number: int,
        hire: Hire,
        load: Callable[[], tuple[float, int, int]],
        on_change: Callable[[], None],
        tracked: Tracked,
    ) -> None:
        self._model = model
        self._plan = plan
        self._first_number = first_number
        self._hire = hire
        self._load = load
        self._on_change = on_change
        self._tracked = tracked
        self._elastic = Elastic(plan.least, plan.most, plan.workers)
        self._changed = asyncio.Event()
        self._remote: dict[int, _Member] = {}
        self._standing_in: dict[int, _Member] = {}

    @property
    def wanted(self) -> int:
        """Remote workers that there should be."""
        return self._elastic.wanted

    @property
    def alive(self) -> int:
        """Workers that are loaded now, remote ones and those that stand in."""
        members = (*self._remote.values(), *self._standing_in.values())
        return sum(member.supervisor.alive for member in members)

    @property
    def remote_alive(self) -> int:
        """Remote workers that are loaded now."""
        return sum(supervisor.alive for supervisor in self.supervisors)

    @property
    def standing_in(self) -> int:
        """Local workers that are loaded now in the place of remote ones."""
        return sum(member.supervisor.alive for member in self._standing_in.values())

    @property
    def supervisors(self) -> list[Supervisor]:
        """Those of the remote workers."""
        return [member.supervisor for member in self._remote.values()]

    @property
    def waits_for(self) -> str:
        """Why a remote worker has no model yet; empty = all have one, or it is not known."""
        return next((one.status.waits_for for one in self.supervisors if one.status.waits_for), "")

    async def run(self, group: asyncio.TaskGroup) -> None:
        """Keep the workers until cancelled; each is a task of the group."""
        clock = asyncio.get_running_loop().time
        while True:
            delay_s, busy, local = self._load()
            remote = self.supervisors
            waiting = sum(one.status.state == "waiting" for one in remote)
            alive = sum(one.alive for one in remote)
            wanted = self._wanted(clock(), Load(delay_s, busy, local, alive, len(remote) - alive))
            self._keep(group, self._remote, wanted, remote=True)
            spare = fallback_workers(
                self._plan.spare,
                unavailable=sum(one.status.unavailable for one in self.supervisors),
                waiting=waiting,
                others_alive=local + alive,
            )
            self._keep(group, self._standing_in, spare, remote=False)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_S):
                    await self._changed.wait()

    def _wanted(self, now_s: float, load: Load) -> int:
        """How many remote workers there should be; the log says when and why that changes."""
        before = self._elastic.wanted
        after = self._elastic.update(now_s, load)
        if after != before:
            change = (self._model, before, after, self._elastic.reason)
            _log.info("remote workers of %s: from %d to %d, because %s", *change)
        return after

    def _keep(
        self, group: asyncio.TaskGroup, members: dict[int, _Member], count: int, *, remote: bool
    ) -> None:
        """Hire or dismiss until so many workers stay."""
        staying = [number for number, member in members.items() if not member.leaving]
        # Those without a model go first, and of the others the one that came last.
        staying.sort(key=lambda number: (not members[number].supervisor.alive, number))
        if not remote and count != len(staying):
            change = (self._model, len(staying), count)
            _log.info("local workers of %s that stand in for remote ones: from %d to %d", *change)
        for number in staying[count:]:
            members[number].leave()
        most = self._plan.most if remote else self._plan.spare
        free = [index for index in range(most) if index not in members]
        for index in free[: max(0, count - len(staying))]:
            self._add(group, members, index, remote=remote)

    def _add(
        self, group: asyncio.TaskGroup, members: dict[int, _Member], index: int, *, remote: bool
    ) -> None:
        number = self._first_number + index + (0 if remote else self._plan.most)
        program = self._plan.program(index) if remote else LOCAL
        supervisor = self._hire(number, program, needed=False, on_state=self._on_state)
        task = group.create_task(self._tracked(supervisor.run()))
        members[index] = _Member(supervisor, task)

        def gone(_: asyncio.Task[None]) -> None:
            del members[index]
            self._on_state()

        task.add_done_callback(gone)

    def _on_state(self) -> None:
        self._changed.set()
        self._on_change()

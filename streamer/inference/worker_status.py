"""What a worker is doing, for its pool and for operators; and whether its pool gives up on it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Literal

from streamer.inference import ipc
from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import ModelCannotLoad

_log = logging.getLogger(__name__)

MAX_FAILED_LOADS = 3
"""Failed loads in a row after which the pool gives up, once the model has loaded before."""

MAX_KILLED_LOADS = 10
"""Loads in a row, ended by signals, after which the pool gives up, before the model has loaded."""

WorkerState = Literal["starting", "alive"] | ipc.RemoteState

WAITS_WITHOUT_LIMIT: tuple[ipc.RemoteState, ...] = ("waiting", "unavailable")
"""States of a remote worker that may last: other machines may come or come back at any time."""


class WorkerStatus:
    """Of one worker, through all its processes.

    Args:
        name: For the log, `model-number`.
        load_timeout_s: How long a model may load.
        on_change: Called after each change of `state`.
    """

    def __init__(self, name: str, load_timeout_s: float, on_change: Callable[[], None]) -> None:
        self.name = name
        self.failed_loads = 0
        """In a row."""
        self.state: WorkerState = "starting"
        self.waits_for = ""
        """Why a remote worker has no model yet; empty = it has one, or it is not known."""
        self.unavailable = False
        """Whether the cluster of a remote worker could not be had when it was last tried."""
        self.has_said_why = False
        """Whether the last process of a remote worker that ended has said why there is no model."""
        self.node = ""
        """The machine that runs the model; empty = this one, or none."""
        self._load_timeout_s = load_timeout_s
        self._on_change = on_change

    def loaded(self, node: str) -> None:
        """The model is loaded and warm, on this machine or on a node."""
        self.failed_loads = 0
        self.unavailable = False
        self.node = node
        self._change("alive", "")

    def starts_again(self) -> None:
        """There is no process, or a new one that has not said anything."""
        self.node = ""
        self._change("starting", self.waits_for)

    def waits(self, why: ipc.NotYet, limit: asyncio.Timeout) -> None:
        """A remote worker has said why it has no model yet; `limit` is that of its loading."""
        lasting = why.state in WAITS_WITHOUT_LIMIT
        now_s = asyncio.get_running_loop().time()
        limit.reschedule(None if lasting else now_s + self._load_timeout_s)
        if lasting:
            self._lacks(why)
        else:
            self._change(why.state, self.waits_for)

    def ended(self, how: str) -> None:
        """The process of a remote worker has ended, or is to, before it had a model.

        Args:
            how: What to say if it has not said itself why there can be no model.
        """
        self.has_said_why = self.state == "unavailable"
        if not self.has_said_why:
            self._lacks(ipc.NotYet("unavailable", how))

    def gives_up(
        self, problem: ModelCannotLoad | WorkerDied, *, was_warm: bool, remote: bool, needed: bool
    ) -> bool:
        """Count a load that has failed; returns whether the pool gives up.

        Args:
            problem: Why it has failed. A killed process may not be the model's fault.
            was_warm: Whether the pool has been warm before.
            remote: Whether the model runs on another machine, which may be replaced.
            needed: Whether the pool cannot be without this worker. One that stands in may lack what
                the remote ones have, such as a GPU, and these may come at any time.
        """
        self.failed_loads += 1
        killed = isinstance(problem, WorkerDied)
        if remote or not needed:
            return False
        if was_warm:
            return not killed and self.failed_loads >= MAX_FAILED_LOADS
        return not killed or self.failed_loads >= MAX_KILLED_LOADS

    def _lacks(self, why: ipc.NotYet) -> None:
        """There is no model for longer; the log says so once for each reason."""
        if why.reason != self.waits_for:
            warns = why.state == "unavailable" or why.in_vain
            level = logging.WARNING if warns else logging.INFO
            what = "waits" if why.state == "waiting" else "has no model yet:"
            _log.log(level, "worker %s %s %s", self.name, what, why.reason)
        self.unavailable = why.state == "unavailable"
        self._change(why.state, why.reason)

    def _change(self, state: WorkerState, waits_for: str) -> None:
        self.state, self.waits_for = state, waits_for
        self._on_change()

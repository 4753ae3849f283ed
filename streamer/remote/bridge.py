"""The process in a local worker's place, whose model runs on another machine.

It looks for the cluster, asks for an actor, compares versions, has the model loaded there, and then
passes batches on. Ray ends the process that it is used in when it has lost its node: that is this
one, and the server replaces it, as it replaces every worker.
"""

import os
import socket
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import numpy as np

from streamer.inference import ipc
from streamer.inference.worker import prepare_process
from streamer.inference.worker_process import Slot
from streamer.models.registry import ModelSpec
from streamer.remote.placement import described
from streamer.remote.plan import RemotePlan
from streamer.remote.probe import problem_of
from streamer.remote.server_link import ServerGone, ServerLink

if TYPE_CHECKING:
    from streamer.remote.cluster import NodeOfActor

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
"""Seconds between two looks for a cluster that does not answer."""

JOINING_S = 30.0
"""Seconds in which Ray, whose head answers, has let this process join."""

SOON_S = 10.0
"""Seconds in which an actor's process is there, unless it waits for room."""

WATCH_S = 10.0
"""Seconds for which one call watches an idle actor."""

LAST_WORD_S = 2.0
"""Seconds in which the call that runs on an actor fails, once the actor is known to have ended."""


def run(plan: RemotePlan, link: socket.socket, slot: Slot, spec: ModelSpec) -> None:
    """Entry point of the process; arguments as of `worker.run`, and what a bridge has to know."""
    prepare_process()
    server = ServerLink(link)
    try:
        _wait_for_cluster(server, plan)
        _bridge(server, plan, slot, spec)
    except ServerGone:
        _end(0)
    except BaseException as error:  # whatever it is, the server reports it
        _give_up(server, f"{type(error).__name__}: {error}")


def _end(code: int) -> NoReturn:
    """End at once: Ray's own ending would wait for a cluster that may be gone."""
    os._exit(code)


def _wait_for_cluster(server: ServerLink, plan: RemotePlan) -> None:
    """Return when the address of the cluster answers."""
    remote = plan.remote
    server.send(ipc.NotYet("connecting", remote.address))
    pause_s = FIRST_PAUSE_S
    while (problem := problem_of(remote.address, remote.connect_seconds)) is not None:
        server.send(ipc.NotYet("unavailable", problem))
        server.wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _give_up(server: ServerLink, reason: str) -> NoReturn:
    """Report why there can be no actor, wait, and end: the next process tries again."""
    try:
        server.send(ipc.NotYet("unavailable", reason))
        server.wait(LONGEST_PAUSE_S)
    except (ServerGone, OSError):
        pass
    _end(1)


def _bridge(server: ServerLink, plan: RemotePlan, slot: Slot, spec: ModelSpec) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # otherwise Ray reports to its maker
    os.environ.setdefault("RAY_gcs_server_request_timeout_seconds", "10")
    joining = threading.Timer(JOINING_S, _not_joined, (server, plan))
    joining.daemon = True
    joining.start()
    _silence()
    from streamer.remote import cluster

    try:
        cluster.connect(plan)
        joining.cancel()
        server.send(ipc.NotYet("loading", "an actor is placed"))
        actor = _Actor(server, _place(server, plan, spec))
        ready = actor.load(plan)
    except cluster.Unavailable as problem:
        _give_up(server, str(problem))
    server.send(ready)
    actor.serve(np.ctypeslib.as_array(slot))


def _silence() -> None:
    """Keep what Ray prints out of the server's log: its own log files have it, too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _not_joined(server: ServerLink, plan: RemotePlan) -> None:
    _give_up(server, f"Ray at {plan.remote.address} did not answer within {JOINING_S:g} s")


def _place(server: ServerLink, plan: RemotePlan, spec: ModelSpec) -> "NodeOfActor":
    """Wait until there is room for the actor, however long that takes."""
    from streamer.remote import cluster

    answers: list[Future[Any]] = []

    def answered(answer: Future[Any]) -> None:
        answers.append(answer)
        server.ring()

    actor = cluster.place(plan, spec)
    actor.describe.remote().future().add_done_callback(answered)
    begun_s = time.monotonic()
    waiting = False
    while not answers:
        server.wait(SOON_S)
        if not answers and not waiting and time.monotonic() - begun_s >= SOON_S:
            waiting = True
            wanted = described(plan.remote)
            server.send(ipc.NotYet("waiting", f"for a node of the cluster with {wanted} to spare"))
    try:
        description = answers[0].result()
    except Exception as error:
        raise cluster.Unavailable(f"an actor could not start: {cluster.explain(error)}") from error
    return cluster.located(actor, description)


class _Actor:
    """An actor that was placed, as this bridge uses it.

    Args:
        server: Its jobs come from here.
        where: The actor.
    """

    def __init__(self, server: ServerLink, where: "NodeOfActor") -> None:
        self._server = server
        self._where = where
        self._answers: list[Future[Any]] = []
        self._end: list[Future[Any]] = []
        self._identity = os.urandom(8).hex()
        self._calls = 0
        self._watching = threading.Event()

    def load(self, plan: RemotePlan) -> ipc.Ready:
        """Have the model loaded; returns its properties.

        Raises:
            Unavailable: It cannot be loaded there.
        """
        from streamer.remote import cluster

        self._server.send(ipc.NotYet("loading", "the model is loaded"))
        self._where.call("load", on_answer=self._answered)
        while not self._answers:
            self._server.wait()
        name = self._where.name
        try:
            (message,) = ipc.WorkerMessageReader().feed(self._answers.pop().result())
        except Exception as error:
            raise cluster.Unavailable(f"on node {name}: {cluster.explain(error)}") from error
        if isinstance(message, ipc.LoadFailed):
            raise cluster.Unavailable(
                f"on node {name}, the model cannot be loaded: {message.reason}"
            )
        assert isinstance(message, ipc.Ready)
        return msgspec.structs.replace(message, node=name, pid=self._where.description.pid)

    def serve(self, samples: "np.ndarray[Any, np.dtype[np.float32]]") -> NoReturn:
        """Pass batches on until the server or the actor is gone.

        Args:
            samples: The slot: float32 of the segments, one after another.
        """
        while True:
            while not self._server.received and not self._end:
                self._watch_on()
                self._server.wait()
            if self._end:
                _end(1)
            message = self._server.received.popleft()
            if isinstance(message, ipc.Batch):  # an `Abandon` here came after its batch
                outcome = self._infer(message, samples)
                self._server.send(outcome)
                if isinstance(outcome, ipc.Lost):
                    _end(1)

    def _infer(
        self, batch: ipc.Batch, slot: "np.ndarray[Any, np.dtype[np.float32]]"
    ) -> ipc.WorkerMessage:
        begun_s = time.monotonic()
        self._calls += 1
        key = f"{self._identity}-{self._calls}"
        total = sum(item.samples for item in batch.items)
        inline = batch.inline
        samples = slot[:total].tobytes() if inline is None else inline
        header = ipc.encode_message(ipc.Batch(batch.items))
        self._where.infer(key, header, samples, self._answered)
        abandoned = False
        lost_s = None
        while not self._answers:
            self._watch_on()
            self._server.wait(None if lost_s is None else LAST_WORD_S)
            if self._server.received and not abandoned:
                abandoned = True
                self._where.call("abandon", key)
            self._server.received.clear()
            if self._end and lost_s is None:
                lost_s = time.monotonic()
            if lost_s is not None and time.monotonic() >= lost_s + LAST_WORD_S:
                break
        return self._outcome(begun_s)

    def _outcome(self, begun_s: float) -> ipc.WorkerMessage:
        """What becomes of a batch: its outcome, on this machine's clock, or the loss of the actor.

        The code of a model that raises is in the outcome, so an exception here is never its own.
        """
        from streamer.remote import cluster

        answer = (self._answers or self._end).pop()
        try:
            (message,) = ipc.WorkerMessageReader().feed(answer.result())
        except Exception as error:
            by_model = cluster.ended_by_model(error, self._where)
            place = f"the actor on node {self._where.name} is lost"
            return ipc.Lost(f"{place}: {cluster.explain(error)}", by_model)
        assert isinstance(message, ipc.BatchOutcome)
        return msgspec.structs.replace(message, begun_s=begun_s, ended_s=time.monotonic())

    def _watch_on(self) -> None:
        """Call `watch` again when the last call has returned.

        Ray reports the end of an actor at once, but only through a call that waits for it.
        """
        if not self._watching.is_set():
            self._watching.set()
            self._where.call("watch", WATCH_S, on_answer=self._watched)

    def _watched(self, answer: "Future[Any]") -> None:
        if answer.exception() is None:
            self._watching.clear()
        else:
            self._end.append(answer)
        self._server.ring()

    def _answered(self, answer: "Future[Any]") -> None:
        self._answers.append(answer)
        self._server.ring()

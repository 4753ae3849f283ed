"""The bridge's use of its actor: have the model loaded, pass batches on, notice its end."""

import os
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec
import numpy as np

from streamer.inference import ipc
from streamer.remote.placement import Unavailable
from streamer.remote.server_link import ServerLink, end_process

if TYPE_CHECKING:
    from streamer.remote.cluster import NodeOfActor

WATCH_S = 10.0
"""Seconds for which one call watches an idle actor."""

LAST_WORD_S = 2.0
"""Seconds in which the call that runs on an actor fails, once the actor is known to have ended."""


class ActorLink:
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

    def load(self) -> ipc.Ready:
        """Have the model loaded; returns its properties.

        Raises:
            Unavailable: It cannot be loaded there.
        """
        self._server.send(ipc.NotYet("loading", "the model is loaded"))
        self._where.call("load", on_answer=self._answered)
        while not self._answers:
            self._watch_on()  # else a shared actor would end while it loads for a long time
            self._server.wait()
        name = self._where.name
        try:
            (message,) = ipc.WorkerMessageReader().feed(self._answers.pop().result())
        except Exception as error:
            from streamer.remote import cluster

            raise Unavailable(f"on node {name}: {cluster.explain(error)}") from error
        if isinstance(message, ipc.LoadFailed):
            raise Unavailable(f"on node {name}, the model cannot be loaded: {message.reason}")
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
                end_process(1)
            message = self._server.received.popleft()
            if isinstance(message, ipc.Batch):  # an `Abandon` here came after its batch
                outcome = self._infer(message, samples)
                self._server.send(outcome)
                if isinstance(outcome, ipc.Lost):
                    end_process(1)

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
            if self._server.received and not abandoned:  # perhaps together with the batch
                abandoned = True
                self._where.call("abandon", key)
            self._server.received.clear()
            if lost_s is not None and time.monotonic() >= lost_s + LAST_WORD_S:
                break
            self._watch_on()
            self._server.wait(None if lost_s is None else LAST_WORD_S)
            if self._end and lost_s is None:
                lost_s = time.monotonic()
        return self._outcome(begun_s)

    def _outcome(self, begun_s: float) -> ipc.WorkerMessage:
        """What becomes of a batch: its outcome, on this machine's clock, or the loss of the actor.

        The code of a model that raises is in the outcome, so an exception here is never its own.
        """
        answer = (self._answers or self._end).pop()
        try:
            (message,) = ipc.WorkerMessageReader().feed(answer.result())
        except Exception as error:
            from streamer.remote import cluster

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

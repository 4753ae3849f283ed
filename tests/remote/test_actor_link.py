"""How a bridge uses its actor, with a scripted one."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from streamer.inference import ipc
from streamer.remote.actor import Description
from streamer.remote.actor_link import ActorLink
from streamer.remote.server_link import ServerGone, ServerLink
from streamer.remote.versions import Versions
from tools.harness.process import wait_until

BATCH = ipc.Batch([ipc.BatchItem(4)])
OUTCOME = ipc.BatchOutcome([ipc.Done({"text": "Try."}, 0.1)], 1e9, 1e9 + 0.1, 0.1, 1)
Answered = Callable[["Future[Any]"], None]


class Actor:
    """Answers when the test says so."""

    name = "far"
    description = Description(7, "f00", Versions("", "", ""))

    def __init__(self) -> None:
        self.loaded: Answered | None = None
        self.calls: list[tuple[object, ...]] = []
        self.answer: Callable[[], None] | None = None
        self.samples = b""

    def call(self, method: str, *args: object, on_answer: Answered | None = None) -> None:
        self.calls.append((method, *args))
        if method == "load":
            assert on_answer
            self.loaded = on_answer

    def infer(self, key: str, batch: bytes, samples: bytes, on_answer: Answered) -> None:
        self.calls.append(("infer", key))
        self.samples = samples

        self.answer = lambda: on_answer(done(OUTCOME))

    def called(self, method: str) -> list[tuple[object, ...]]:
        return [call for call in self.calls if call[0] == method]


def done(message: ipc.WorkerMessage) -> "Future[Any]":
    """What Ray answers."""
    future: Future[Any] = Future()
    future.set_result(ipc.encode_message(message))
    return future


@contextmanager
def serving(actor: Actor) -> Iterator[socket.socket]:
    """The server's end of the link of a bridge."""
    ours, theirs = socket.socketpair()
    link = ActorLink(ServerLink(theirs), actor)  # type: ignore[arg-type]

    def serve() -> None:
        with suppress(ServerGone):
            link.load()
            link.serve(np.arange(8, dtype=np.float32))

    thread = threading.Thread(target=serve)
    thread.start()
    with theirs:
        with ours:
            ours.settimeout(30)
            assert received(ours) == ipc.NotYet("loading", "the model is loaded")
            wait_until(lambda: actor.loaded and actor.called("watch"), "it loads, and is watched")
            assert actor.loaded
            actor.loaded(done(ipc.Ready(16_000, 1, 0.0, stateful=False)))
            yield ours
        thread.join()


def received(link: socket.socket) -> ipc.WorkerMessage:
    (message,) = ipc.WorkerMessageReader().feed(link.recv(1 << 16))
    return message


def test_a_batch_goes_to_the_actor_and_its_outcome_gets_the_times_of_this_machine() -> None:
    actor = Actor()
    with serving(actor) as link:
        link.sendall(ipc.encode_message(BATCH))
        wait_until(lambda: actor.answer, "the actor has it")
        assert actor.samples == np.arange(4, dtype=np.float32).tobytes()
        assert actor.answer
        actor.answer()
        outcome = received(link)
    assert isinstance(outcome, ipc.BatchOutcome)
    assert outcome.outcomes == OUTCOME.outcomes
    assert outcome.begun_s <= outcome.ended_s < OUTCOME.begun_s
    assert len(actor.called("watch")) == 1, "one waits for its end at any time"
    assert actor.called("abandon") == []


def test_a_batch_and_its_end_may_arrive_in_one_piece() -> None:
    actor = Actor()
    with serving(actor) as link:
        link.sendall(ipc.encode_message(BATCH) + ipc.encode_message(ipc.Abandon()))
        wait_until(lambda: actor.called("abandon"), "the actor is told")
        ((_, key),) = actor.called("infer")
        assert actor.called("abandon") == [("abandon", key)]
        assert actor.answer
        actor.answer()
        assert isinstance(received(link), ipc.BatchOutcome)

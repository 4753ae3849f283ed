"""How a bridge uses its actor, with a scripted one."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from streamer.inference import ipc
from streamer.remote.actor_link import ActorLink
from streamer.remote.server_link import ServerGone, ServerLink
from tools.harness.process import wait_until

BATCH = ipc.Batch([ipc.BatchItem(4)])
OUTCOME = ipc.BatchOutcome([ipc.Done({"text": "Try."}, 0.1)], 1e9, 1e9 + 0.1, 0.1, 1)
Answered = Callable[["Future[Any]"], None]


class Actor:
    """Answers when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.answer: Callable[[], None] | None = None
        self.samples = b""

    def call(self, method: str, *args: object, on_answer: Answered | None = None) -> None:
        self.calls.append((method, *args))

    def infer(self, key: str, batch: bytes, samples: bytes, on_answer: Answered) -> None:
        self.calls.append(("infer", key))
        self.samples = samples

        def answer() -> None:
            future: Future[Any] = Future()
            future.set_result(ipc.encode_message(OUTCOME))
            on_answer(future)

        self.answer = answer

    def called(self, method: str) -> list[tuple[object, ...]]:
        return [call for call in self.calls if call[0] == method]


@contextmanager
def serving(actor: Actor) -> Iterator[socket.socket]:
    """The server's end of the link of a bridge."""
    ours, theirs = socket.socketpair()
    link = ActorLink(ServerLink(theirs), actor)  # type: ignore[arg-type]

    def serve() -> None:
        with suppress(ServerGone):
            link.serve(np.arange(8, dtype=np.float32))

    thread = threading.Thread(target=serve)
    thread.start()
    with theirs:
        with ours:
            ours.settimeout(30)
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
    assert len(actor.called("watch")) == 1, "its end would be noticed at once"
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

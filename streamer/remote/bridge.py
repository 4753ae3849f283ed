"""The process in a local worker's place, whose model runs on another machine.

It looks for the cluster, asks for an actor, compares versions, has the model loaded there, and then
passes batches on. Ray ends the process that it is used in when it has lost its node: that is this
one, and the server replaces it, as it replaces every worker.
"""

import os
import socket
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from streamer.inference import ipc
from streamer.inference.worker import prepare_process
from streamer.inference.worker_program import Slot
from streamer.models.registry import ModelSpec
from streamer.remote.actor_link import ActorLink
from streamer.remote.nodes import Node, why_never
from streamer.remote.own_node import NodeLost, problem_of_node
from streamer.remote.placement import Unavailable, in_words, reserved
from streamer.remote.plan import RemotePlan
from streamer.remote.probe import problem_of
from streamer.remote.server_link import ServerGone, ServerLink, end_process

if TYPE_CHECKING:
    from streamer.remote.cluster import NodeOfActor

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
"""Seconds between two looks for a cluster that does not answer."""

JOINING_S = 30.0
"""Seconds in which Ray, whose head answers, has let this process join."""

SOON_S = 10.0
"""Seconds in which an actor's process is there, unless it waits for room."""


def run(plan: RemotePlan, link: socket.socket, slot: Slot, spec: ModelSpec) -> None:
    """Entry point of the process; arguments as of `worker.run`, and what a bridge has to know."""
    prepare_process()
    server = ServerLink(link)
    try:
        _wait_for_cluster(server, plan)
        _bridge(server, plan, slot, spec)
    except ServerGone:
        end_process(0)
    except BaseException as error:  # whatever it is, the server reports it
        _give_up(server, f"{type(error).__name__}: {error}")


def _wait_for_cluster(server: ServerLink, plan: RemotePlan) -> None:
    """Return when the address of the cluster answers, and Ray has a node on this machine."""
    remote = plan.remote
    server.send(ipc.NotYet("connecting", remote.address))
    pause_s = FIRST_PAUSE_S
    while problem := (
        problem_of(remote.address, remote.connect_seconds) or problem_of_node(remote.address)
    ):
        server.send(ipc.NotYet("unavailable", problem))
        server.wait(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    server.send(ipc.NotYet("connecting", remote.address))  # what was said before holds no more


def _give_up(server: ServerLink, reason: str) -> NoReturn:
    """Report why there can be no actor, wait, and end: the next process tries again."""
    try:
        server.send(ipc.NotYet("unavailable", reason))
        server.wait(LONGEST_PAUSE_S)
    except (ServerGone, NodeLost, OSError):
        pass
    end_process(1)


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
        server.watch_node(cluster.own_node())
        joining.cancel()
        server.send(ipc.NotYet("loading", "an actor is placed"))
        actor = ActorLink(server, _place(server, plan, spec))
        ready = actor.load()
    except Unavailable as problem:
        _give_up(server, str(problem))
    except NodeLost as problem:  # Ray would go on asking for it, and use much of a core
        server.send(ipc.NotYet("unavailable", str(problem)))
        end_process(1)
    server.send(ready)
    try:
        actor.serve(np.ctypeslib.as_array(slot))
    except NodeLost:
        end_process(1)


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
    cluster.describe(actor, answered)
    began_s = time.monotonic()
    said = None
    asking = ThreadPoolExecutor(1)  # a head that is gone answers late, or never
    nodes: Future[list[Node]] | None = None
    while not answers:
        server.wait(SOON_S)
        if answers or time.monotonic() - began_s < SOON_S:
            continue
        if nodes is None:
            nodes = asking.submit(cluster.nodes)
            nodes.add_done_callback(lambda _: server.ring())
        if not nodes.done():
            continue
        waits = _waits(plan, nodes)
        if waits != said:
            server.send(waits)
            said = waits
        nodes = None
    asking.shutdown(wait=False)
    try:
        description = answers[0].result()
    except Exception as error:
        raise Unavailable(f"an actor could not start: {cluster.explain(error)}") from error
    return cluster.located(actor, description)


def _waits(plan: RemotePlan, nodes: Future[list[Node]]) -> ipc.NotYet:
    """What the actor waits for; `nodes` are those of the cluster, if the head has answered."""
    wanted = reserved(plan.remote)
    never = why_never(wanted, nodes.result()) if nodes.exception() is None else None
    reason = f"for a node of the cluster with {in_words(wanted)} to spare"
    return ipc.NotYet("waiting", f"{reason}: {never}" if never else reason, bool(never))

"""The driver's side of Ray: connect, place an actor, call it. Only bridges import this."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import msgspec
import ray
from ray.exceptions import ActorDiedError, RayError

from streamer.inference.worker import ignore_server_signals
from streamer.models.registry import ModelSpec
from streamer.remote.actor import Description, RemoteModel
from streamer.remote.nodes import Node, living_nodes
from streamer.remote.own_node import NodeLost, advice, connected_to
from streamer.remote.placement import Unavailable, actor_options, concurrency_groups
from streamer.remote.plan import NAMESPACE, RemotePlan, for_other_machines
from streamer.remote.ray_errors import in_one_line
from streamer.remote.versions import Versions, difference, of_cluster, versions_here

GROUPS = {"infer": "infer", "abandon": "control", "describe": "control", "watch": "watch"}
"""By method of the actor, its concurrency group; `load`, which takes long, has Ray's own."""

PIECE_BYTES = 96 * 1024
"""Of samples in one argument. Larger ones would go through the object store, which takes longer:
Ray sends arguments up to 100 KiB with the call (`max_direct_call_object_size`)."""

ASKING_S = 5.0
"""Seconds that the head has for an answer about its nodes."""

Answered = Callable[["Future[Any]"], None]


class NodeOfActor:
    """An actor that was placed, and where it is.

    Attributes:
        description: Its process and its versions.
        name: Of its node.
    """

    def __init__(self, actor: Any, description: Description, name: str) -> None:  # noqa: ANN401
        self._actor = actor
        self.description = description
        self.name = name

    def call(self, method: str, *args: object, on_answer: Answered | None = None) -> None:
        """Call a method; `on_answer` gets the finished future, in another thread."""
        bound = getattr(self._actor, method)
        if group := GROUPS.get(method):
            bound = bound.options(concurrency_group=group)
        reference = bound.remote(*args)
        if on_answer is not None:
            reference.future().add_done_callback(on_answer)

    def infer(self, key: str, batch: bytes, samples: bytes, on_answer: Answered) -> None:
        """Run a batch; `samples` are float32."""
        ends = range(0, len(samples), PIECE_BYTES)
        pieces = [samples[first : first + PIECE_BYTES] for first in ends]
        self.call("infer", key, batch, *pieces, on_answer=on_answer)


def connect(plan: RemotePlan) -> None:
    """Join the cluster.

    Raises:
        Unavailable: It does not admit this process.
    """
    try:
        ray.init(
            address=plan.remote.address,
            namespace=NAMESPACE,
            log_to_driver=False,
            configure_logging=False,
            logging_level=logging.CRITICAL,
        )
    except (RayError, OSError, RuntimeError, ValueError) as error:
        raise Unavailable(_why_not(error, plan.remote.address)) from error
    finally:
        ignore_server_signals()  # Ray has handlers of its own


def _why_not(error: Exception, address: str) -> str:
    message = str(error)
    if (there := of_cluster(message)) is not None:
        here = versions_here(ray.__version__)
        return difference(here, there, "in the cluster") or in_one_line(message)
    if "No node info found" in message:
        return f"this machine is no node of the cluster at {address}: {advice(address)}"
    return f"the cluster at {address} cannot be joined: {in_one_line(message)}"


def own_node() -> socket.socket:
    """A connection to the node on this machine, through which this process has joined.

    Raises:
        NodeLost: It has ended since.
    """
    own = ray.get_runtime_context().get_node_id()
    for node in ray.nodes():
        if node["NodeID"] == own:
            try:
                return connected_to(node["RayletSocketName"])
            except OSError as error:
                raise NodeLost(f"the node of Ray on this machine has ended: {error}") from error
    raise NodeLost("the node of Ray on this machine is not in the cluster any more")


def nodes() -> list[Node]:
    """The nodes that live."""
    return living_nodes(ray.nodes())


def place(plan: RemotePlan, spec: ModelSpec) -> Any:  # noqa: ANN401
    """Ask for an actor; returns its handle at once, whether there is room or not."""
    groups = concurrency_groups(plan.remote)
    actor_class = ray.remote(concurrency_groups=groups)(RemoteModel)
    encoded = msgspec.msgpack.encode(for_other_machines(spec))
    return actor_class.options(**actor_options(plan, spec)).remote(
        encoded, plan.timeout_s, shared=plan.remote.shared
    )


def describe(actor: Any, on_answer: Answered) -> None:  # noqa: ANN401
    """Ask an actor where it is. It answers as soon as there is room for it, also while it loads."""
    bound = actor.describe.options(concurrency_group=GROUPS["describe"])
    bound.remote().future().add_done_callback(on_answer)


def located(actor: Any, description: bytes) -> NodeOfActor:  # noqa: ANN401
    """The actor and its place, from its answer to `describe`.

    Raises:
        Unavailable: The versions there differ.
    """
    where = msgspec.msgpack.decode(description, type=Description)
    name = next((node.name for node in nodes() if node.node_id == where.node_id), "unknown")
    here: Versions = versions_here(ray.__version__)
    if problem := difference(here, where.versions, f"on node {name}"):
        raise Unavailable(problem)
    return NodeOfActor(actor, where, name)


def ended_by_model(error: BaseException, where: NodeOfActor) -> bool:
    """Whether an actor's own process has ended while its node lives on."""
    if not isinstance(error, ActorDiedError):
        return False
    guard = threading.Timer(ASKING_S, os._exit, (1,))  # a head that is gone does not answer
    guard.daemon = True
    guard.start()
    alive = {node.node_id for node in nodes()}
    guard.cancel()
    return where.description.node_id in alive


def explain(error: BaseException) -> str:
    """Ray's error in one line, without its traceback."""
    return in_one_line(str(error))

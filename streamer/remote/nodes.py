"""The nodes of a cluster: what people call them, and what they have. Pure, and without Ray."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streamer.remote.placement import in_words

SHORT_ID = 8
"""Characters of a node's id that tell it from others: `ray list nodes` shows the ids."""


class Node(NamedTuple):
    """A node that lives, as workers can use it.

    Attributes:
        node_id: Its id in the cluster.
        name: What people call it; no other node that lives has the same.
        amounts: What it has of each resource, in use or not.
    """

    node_id: str
    name: str
    amounts: Mapping[str, float]


def living_nodes(table: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The nodes that live, in the order of Ray's table of all nodes.

    A node is called by the name that it was given, else by its host. Where several have the same,
    as those without a name on one host, the beginning of the id follows.
    """
    alive = [node for node in table if node["Alive"]]
    nodes_of = Counter(map(_own_name, alive))
    nodes = []
    for node in alive:
        name, node_id = _own_name(node), node["NodeID"]
        if nodes_of[name] > 1:
            name = f"{name}-{node_id[:SHORT_ID]}"
        nodes.append(Node(node_id, name, node["Resources"]))
    return nodes


def why_never(wanted: Mapping[str, float], nodes: Sequence[Node]) -> str | None:
    """Why no node can ever have room for a worker, in words; None = one can.

    Args:
        wanted: What the worker reserves of each resource; no amount is 0.
        nodes: All that live. One that an autoscaler would add is not among them.
    """

    def fit(node: Node) -> tuple[int, float]:
        """Of how many resources it has enough, and the sum of the parts that it has of each."""
        parts = [min(1.0, node.amounts.get(name, 0.0) / wanted[name]) for name in wanted]
        return parts.count(1.0), sum(parts)

    largest = max(nodes, key=fit, default=None)
    if largest is None:
        return "the cluster has no node"
    if fit(largest)[0] == len(wanted):
        return None
    has = in_words({name: largest.amounts.get(name, 0.0) for name in wanted})
    return (
        "no node of the cluster can ever have that, unless an autoscaler adds one: the largest, "
        f"{largest.name}, has {has}"
    )


def _own_name(node: Mapping[str, Any]) -> str:
    given, address = str(node.get("NodeName", "")), str(node.get("NodeManagerAddress", ""))
    return given if given and given != address else str(node.get("NodeManagerHostname", address))

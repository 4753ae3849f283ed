"""The nodes of a cluster: their names, and whether one can ever have room."""

from typing import Any

from streamer.remote.nodes import living_nodes, why_never


def entry(node_id: str, name: str = "", *, alive: bool = True, **amounts: float) -> dict[str, Any]:
    """As Ray describes a node."""
    return {
        "NodeID": node_id,
        "Alive": alive,
        "NodeName": name or "10.0.0.7",
        "NodeManagerAddress": "10.0.0.7",
        "NodeManagerHostname": "host",
        "Resources": amounts,
    }


def names(*entries: dict[str, Any]) -> list[str]:
    return [node.name for node in living_nodes(entries)]


def test_a_node_is_called_by_its_name_else_by_its_host() -> None:
    assert names(entry("aaaaaaaaaa", "one"), entry("bbbbbbbbbb")) == ["one", "host"]


def test_nodes_with_the_same_name_differ_by_their_ids() -> None:
    assert names(entry("aaaaaaaaaa"), entry("bbbbbbbbbb"), entry("cccccccccc", "one")) == [
        "host-aaaaaaaa",
        "host-bbbbbbbb",
        "one",
    ]


def test_a_node_that_was_started_again_keeps_its_name() -> None:
    assert names(entry("aaaaaaaaaa", alive=False), entry("bbbbbbbbbb")) == ["host"]


def test_what_no_node_can_ever_have_names_the_largest() -> None:
    nodes = living_nodes(
        [
            entry("aaaaaaaaaa", "head", node=100),
            entry("bbbbbbbbbb", "two", CPU=2, memory=9),
            entry("cccccccccc", "gpu", CPU=1, GPU=1),
        ]
    )
    assert why_never({"CPU": 2}, nodes) is None
    assert why_never({"CPU": 1, "GPU": 0.5}, nodes) is None
    never = "no node of the cluster can ever have that, unless an autoscaler adds one: the largest"
    assert why_never({"CPU": 8}, nodes) == f"{never}, two, has 2 CPU"
    assert why_never({"CPU": 2, "GPU": 1}, nodes) == f"{never}, gpu, has 1 CPU, 1 GPU"
    assert why_never({"CPU": 1, "nowhere": 1}, nodes) == f"{never}, two, has 2 CPU, 0 nowhere"
    assert why_never({}, nodes) is None
    assert why_never({"CPU": 1}, []) == "the cluster has no node"

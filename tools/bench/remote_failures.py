"""How soon the loss of remote workers is noticed, and made good: `make bench-remote-failures`.

All of it on this machine: a cluster of three nodes, of which the head's node is also the server's
and runs no workers, and the two others have room for two each. A server has two remote workers, one
on each of these nodes. Then an actor is killed, a node, and all of the cluster; each several times.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from streamer.version import installed_version
from tools.bench.live import machine
from tools.bench.result_files import Row, table, write_json
from tools.command_line import tool_parser
from tools.harness.process import Server, wait_until
from tools.harness.ray_cluster import PROGRAM, Node, RayCluster, installed_as, ray_cluster

WORKERS = 2
PATIENT_S = 180.0


def remote(server: Server) -> dict[str, int]:
    """Numbers of remote workers, and of those that stand in."""
    found: dict[str, int] = server.get("/api/v1/info").json()["models"][0]["remote"]
    return found


def all_alive(server: Server) -> bool:
    """Whether all workers are remote ones."""
    return remote(server) == {
        "workers_wanted": WORKERS,
        "workers_alive": WORKERS,
        "standing_in": 0,
    }


def until(since_s: float, condition: Callable[[], object], what: str) -> float:
    """Wait for a condition; returns the seconds since a moment."""
    wait_until(condition, what, PATIENT_S)
    return time.monotonic() - since_s


def round_of_failures(server: Server, cluster: RayCluster, nodes: list[Node]) -> dict[str, float]:
    """Kill an actor, a node and the cluster; returns seconds, by what happened."""
    took: dict[str, float] = {}

    def lost() -> bool:
        return remote(server)["workers_alive"] < WORKERS

    for what in ("an actor", "a node with an actor"):
        actor = what == "an actor"
        victim = cluster.actors()[0]
        if not actor:  # its parent is the process of its node
            raylets = [node.only("raylet") for node in nodes]
            victim = next(raylet for raylet in raylets if raylet.pid == victim.ppid())
        killed_s = time.monotonic()
        cluster.kill([victim])
        took[f"{what} noticed"] = until(killed_s, lost, f"{what} is missed")
        took[f"{what} replaced"] = until(killed_s, lambda: all_alive(server), f"{what} is replaced")
    killed_s = time.monotonic()
    cluster.kill_all()
    took["the cluster noticed"] = until(
        killed_s, lambda: remote(server)["workers_alive"] == 0, "the cluster is missed"
    )
    took["the cluster replaced"] = until(
        killed_s, lambda: remote(server)["standing_in"] == WORKERS, "local workers stand in"
    )
    return took


def failure_rows(rounds: list[dict[str, float]], back_s: list[float]) -> list[Row]:
    """The table: of each figure the median, and the least and the most of the rounds."""

    def seconds(values: list[float]) -> str:
        return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"

    rows: list[Row] = []
    for what, again in (
        ("an actor", "another actor"),
        ("a node with an actor", "an actor on another node"),
        ("the cluster", "local workers"),
    ):
        rows.append(
            {
                "killed": what,
                "noticed after, s": seconds([one[f"{what} noticed"] for one in rounds]),
                "all work again after, s": seconds([one[f"{what} replaced"] for one in rounds]),
                "with": again,
            }
        )
    rows.append(
        {
            "killed": "none: a cluster has room again",
            "noticed after, s": None,
            "all work again after, s": seconds(back_s),
            "with": "actors",
        }
    )
    return rows


def main() -> None:
    """Print the table."""
    parser = tool_parser("tools.bench.remote_failures", __doc__)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    before = machine()
    rounds: list[dict[str, float]] = []
    back_s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = installed_as(installed_version(), Path(folder) / "installed")
        with ray_cluster({"PYTHONPATH": path}) as cluster:
            settings = {"address": cluster.address, "workers": WORKERS, "only": True}
            config = {"model": {"type": "standin", "remote": settings}}
            env = {"PYTHONPATH": path, "PYTHONWARNINGS": ""}
            cluster.start("head", cpus=0)
            nodes = [cluster.start(name, cpus=WORKERS) for name in ("one", "two")]
            server = Server(Path(folder), config, env=env, program=PROGRAM)
            try:
                wait_until(lambda: all_alive(server), "all are there", PATIENT_S)
                for _ in range(args.rounds):
                    rounds.append(round_of_failures(server, cluster, nodes))
                    cluster.nodes.clear()
                    cluster.start("head", cpus=0)
                    nodes = [cluster.start("one", cpus=WORKERS)]
                    started_s = time.monotonic()
                    back_s.append(until(started_s, lambda: all_alive(server), "remote again"))
                    nodes.append(cluster.start("two", cpus=WORKERS))
            finally:
                server.stop()
    rows = failure_rows(rounds, back_s)
    Console(width=140).print(table(f"{args.rounds} rounds, median (least to most)", rows))
    write_json("remote_failures.json", {"machine": before, "failures": rows})


if __name__ == "__main__":
    main()

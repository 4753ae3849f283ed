"""The server's machine has no node of Ray that the server can use: it says so, and does without.

The server is in a mount namespace of its own, in which something of the cluster is hidden from it.
"""

import subprocess

import psutil
import pytest

from tests.end_to_end.remote.conftest import LaunchRemote, info, remote
from tools.harness.process import Server, wait_until
from tools.harness.ray_cluster import RayCluster

ALONE = ("unshare", "--map-root-user", "--mount")
HIDE = 'for path in $HIDDEN; do mount -t tmpfs none "$path" || exit; done; exec "$@"'

PROBLEM = subprocess.run(
    [*ALONE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True
).stderr


@pytest.mark.skipif(bool(PROBLEM), reason=f"no mount namespace: {PROBLEM}")
def test_without_a_node_here_the_log_says_so_once_and_local_workers_stand_in(
    launch_remote: LaunchRemote, cluster: RayCluster
) -> None:
    nodes = [one for one in psutil.process_iter(["name"]) if one.info["name"] == "raylet"]
    own = cluster.processes()
    others = [f"/proc/{one.pid}" for one in nodes if one not in own]
    hidden = {
        "no node of Ray runs on this machine": [f"/proc/{one.pid}" for one in nodes],
        "No such file or directory": [str(cluster.folder), *others],
    }
    settings = remote(cluster.address, workers=2, fallback="local")
    config = {"model": {"type": "standin", "remote": settings}}
    servers = {
        problem: launch_remote(
            config,
            ready=False,
            env={"HIDDEN": " ".join(paths)},
            wrapper=(*ALONE, "sh", "-c", HIDE, "sh"),
        )
        for problem, paths in hidden.items()
    }
    advice = f"run `ray start --address={cluster.address} --num-cpus=0` on it, as the server's user"
    for problem, server in servers.items():
        server.wait_ready()
        check_said_once(server, problem, advice)


def check_said_once(server: Server, problem: str, advice: str) -> None:
    """Each of two remote workers has said what is wrong and what to do, and local ones stand in."""
    wait_until(lambda: info(server)["remote"]["standing_in"], "a local worker stands in")
    wait_until(lambda: server.log().count("has no model yet") == 2, "each has said why")
    metrics = server.get("/metrics").text
    assert 'streamer_remote_workers{model="standin",state="unavailable"} 2.0' in metrics
    lines = [line for line in server.log().splitlines() if "has no model yet" in line]
    assert all(problem in line and advice in line for line in lines), lines
    assert "could not load" not in server.log()

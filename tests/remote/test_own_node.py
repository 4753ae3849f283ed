"""Whether Ray has a node on this machine that a bridge can use."""

import socket
from pathlib import Path

import pytest

from streamer.remote.own_node import NodeLost, problem_of_node
from streamer.remote.server_link import ServerLink

HEAD = "ray-head:6379"
ADVICE = (
    "run `ray start --address=ray-head:6379 --num-cpus=0` on it, as the server's user, with the "
    "same /tmp and processes"
)


def process(folder: Path, number: int, *arguments: str) -> None:
    """A process as the kernel shows it."""
    (folder / str(number)).mkdir(parents=True)
    (folder / str(number) / "cmdline").write_bytes(b"\0".join(a.encode() for a in (*arguments, "")))


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """Some that are no node."""
    folder = tmp_path / "proc"
    process(folder, 1, "/sbin/init")
    process(folder, 2, "python", "--raylet_socket_name=/tmp/mine")
    process(folder, 3)
    (folder / "4").mkdir()  # it has just ended
    (folder / "self").mkdir()
    return folder


def test_where_no_node_runs_the_advice_is_to_start_one(processes: Path) -> None:
    assert problem_of_node(HEAD, processes) == f"no node of Ray runs on this machine: {ADVICE}"


def test_a_node_with_another_tmp_cannot_be_used(processes: Path, tmp_path: Path) -> None:
    path = tmp_path / "raylet"
    process(processes, 5, "/ray/raylet", "--node_id=f00", f"--raylet_socket_name={path}")
    assert problem_of_node(HEAD, processes) == (
        f"the node of Ray on this machine cannot be used ({path}: No such file or directory): "
        f"{ADVICE}"
    )


def test_one_that_can_be_used_is_enough(processes: Path, tmp_path: Path) -> None:
    path = tmp_path / "raylet"
    process(processes, 5, "/ray/raylet", "--raylet_socket_name=/nowhere/raylet")
    process(processes, 6, "/ray/raylet", f"--raylet_socket_name={path}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert problem_of_node(HEAD, processes) is None


def test_where_processes_cannot_be_listed_ray_finds_out_itself(tmp_path: Path) -> None:
    assert problem_of_node(HEAD, tmp_path / "none") is None


def test_whatever_a_bridge_waits_for_it_notices_the_end_of_its_node() -> None:
    ours, theirs = socket.socketpair()
    node, own_end = socket.socketpair()
    with ours, theirs, own_end:
        link = ServerLink(theirs)
        link.watch_node(own_end)
        link.wait(0.01)  # it lives
        node.sendall(b"whatever a later version says")
        link.wait(0.01)
        node.close()
        with pytest.raises(NodeLost, match="the node of Ray on this machine has ended"):
            link.wait()

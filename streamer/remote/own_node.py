"""Ray's node on the machine of the server: whether there is one, and whether it lives.

A bridge joins its cluster through this node, and without it is of no use. Ray finds the node in the
list of processes, and uses it through a socket in `/tmp`. Where it finds none, or cannot use it, it
ends the process without a word. So both are tried before.
"""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

PROGRAM = "raylet"
"""The process of a node, as Ray looks for it."""

SOCKET_FLAG = b"--raylet_socket_name="
"""In its arguments, before the path of its socket."""


class NodeLost(Exception):
    """The node on this machine has ended; the message says so in one line."""


def advice(address: str) -> str:
    """What to do so that this machine is a node of the cluster whose head is at an address."""
    return (
        f"run `ray start --address={address} --num-cpus=0` on it, as the server's user, with the "
        "same /tmp and processes"
    )


def problem_of_node(address: str, processes: Path = Path("/proc")) -> str | None:
    """Why no node of Ray on this machine can be used; None = one can, or it is not known.

    Args:
        address: Of the head of the cluster, for the advice.
        processes: Has a folder for each process. Where there is none, as outside of Linux, Ray is
            to find out itself.
    """
    if not processes.is_dir():
        return None
    why = ""
    for path in _sockets(processes):
        try:
            connected_to(path).close()
        except OSError as error:
            why = f"{path}: {error.strerror}"
        else:
            return None
    if why:
        return f"the node of Ray on this machine cannot be used ({why}): {advice(address)}"
    return f"no node of Ray runs on this machine: {advice(address)}"


def connected_to(path: str) -> socket.socket:
    """A connection to the socket of a node, which closes when the node ends; it says nothing.

    Raises:
        OSError: There is no such node, or this process may not use it.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _sockets(processes: Path) -> Iterator[str]:
    """The sockets of all nodes of this machine, as their processes name them."""
    for folder in processes.iterdir():
        if not folder.name.isdecimal():
            continue
        arguments: list[bytes] = []
        with contextlib.suppress(OSError):  # it has ended, or belongs to another user
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        if arguments and Path(arguments[0].decode(errors="replace")).name == PROGRAM:
            for argument in arguments:
                if argument.startswith(SOCKET_FLAG):
                    yield argument.removeprefix(SOCKET_FLAG).decode(errors="replace")

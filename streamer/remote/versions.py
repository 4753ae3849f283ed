"""The versions that must be equal on all machines, because objects pass between them."""

import platform
import re

import msgspec

import streamer

_IN_RAYS_MESSAGE = re.compile(r"cluster was started with:\s+Ray: (\S+)\s+Python: (\S+)")


class Versions(msgspec.Struct, frozen=True):
    """Of one machine. An empty one is not known."""

    streamer: str
    ray: str
    python: str

    def __str__(self) -> str:
        names = ("Streamer", self.streamer), ("Ray", self.ray), ("Python", self.python)
        return ", ".join(f"{name} {version}" for name, version in names if version)


def versions_here(ray: str) -> Versions:
    """Those of this process, with the version of Ray that it has imported."""
    return Versions(streamer.__version__, ray, platform.python_version())


def difference(here: Versions, there: Versions, place: str) -> str | None:
    """One line when the versions differ; None when they are equal.

    Args:
        here: Of the server.
        there: Of a node, or of the whole cluster.
        place: Where `there` is.
    """
    mine, others = msgspec.structs.astuple(here), msgspec.structs.astuple(there)
    if all(theirs in ("", ours) for ours, theirs in zip(mine, others, strict=True)):
        return None
    return (
        f"the versions differ: here {here}; {place} {there}. All machines need the same: "
        "give them the same image"
    )


def of_cluster(message: str) -> Versions | None:
    """The versions of the cluster in Ray's own message that they differ; None = it is another."""
    found = _IN_RAYS_MESSAGE.search(message)
    return Versions("", found[1], found[2]) if found else None

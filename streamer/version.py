"""The version of this program, as it was installed.

It comes from the tag in the repository, through the metadata that a build writes: no file names it.

May import: nothing of streamer.
"""

from importlib.metadata import PackageNotFoundError, version

SERVER, CLIENT = "streamer-server", "streamer-client"
"""The distributions: the whole, and the client alone."""

UNKNOWN = "0+unknown"
"""Of a copy of the source that is not installed."""


def installed_version(distributions: tuple[str, ...] = (SERVER, CLIENT)) -> str:
    """The version of the first of the distributions that is installed; else `UNKNOWN`."""
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return UNKNOWN


def beside_each_other() -> tuple[str, str] | None:
    """The versions of server and client, if both are installed here and differ; else None.

    Both have the files of the client, so one has overwritten some of the other's.
    """
    server, client = (installed_version((name,)) for name in (SERVER, CLIENT))
    return None if UNKNOWN in (server, client) or server == client else (server, client)

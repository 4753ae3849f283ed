"""Run a program that may do anything."""

from collections.abc import Sequence


class ProcessDied(Exception):
    """The program ended with another exit code than 0. The text has the code: 'exit code 3', or the
    number of the signal: 'signal 11'."""


class ProcessHung(Exception):
    """The program has not ended in time."""


async def run(command: Sequence[str], data: bytes, timeout_s: float) -> bytes:
    """Run a program, write `data` to its standard input, and return its standard output.

    Whatever happens, the process has ended when this returns or raises, also if this is cancelled.
    A process may ignore SIGTERM. It may end without having read its input, which is no error if its
    exit code is 0. It may write much before it reads.

    Args:
        command: The program and its arguments.
        data: Of any length.
        timeout_s: Seconds from the start of the program to its end.

    Raises:
        ProcessDied: Its exit code is not 0.
        ProcessHung: It took too long.
    """
    raise NotImplementedError

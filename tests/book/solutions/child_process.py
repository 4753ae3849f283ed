"""A process, and a `finally` that ends it."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Sequence


class ProcessDied(Exception):
    """The program ended with another exit code than 0."""


class ProcessHung(Exception):
    """The program has not ended in time."""


async def run(command: Sequence[str], data: bytes, timeout_s: float) -> bytes:
    """`communicate` reads while it writes; SIGKILL cannot be ignored."""
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(timeout_s):
            output, _ = await process.communicate(data)
    except TimeoutError:
        raise ProcessHung(f"the program took longer than {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    code = process.returncode
    if code:
        raise ProcessDied(f"signal {-code}" if code < 0 else f"exit code {code}")
    return output

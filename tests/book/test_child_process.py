"""Check of the exercise `child_process`."""

import asyncio
import contextlib
import os
import sys

import psutil
import pytest

from tests.book.exercise import load

answer = load("child_process")

ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
"""
WRITES_FIRST = """
import sys
sys.stdout.buffer.write(bytes(1_000_000))
sys.stdout.flush()
sys.stdout.buffer.write(sys.stdin.buffer.read())
"""


def program(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def children(mark: str) -> list[psutil.Process]:
    """The processes of this one that have a mark among their arguments."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            if mark in child.cmdline():
                found.append(child)
    return found


async def test_the_output_comes_back() -> None:
    data = os.urandom(300_000)
    assert await answer.run(program(ECHO), data, 60) == data


async def test_a_program_that_writes_before_it_reads() -> None:
    data = bytes(range(256)) * 4_000
    assert await answer.run(program(WRITES_FIRST), data, 60) == bytes(1_000_000) + data


async def test_a_program_that_does_not_read() -> None:
    assert await answer.run(program("print('done')"), bytes(1_000_000), 60) == b"done\n"


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
    ],
)
async def test_how_it_died(code: str, how: str) -> None:
    with pytest.raises(answer.ProcessDied) as error:
        await answer.run(program(code), b"", 60)
    assert str(error.value) == how


async def test_a_program_that_hangs_is_gone_afterwards() -> None:
    with pytest.raises(answer.ProcessHung):
        await answer.run(program(STUBBORN, "hangs"), b"", 1.0)
    assert children("hangs") == []


async def test_who_is_cancelled_leaves_no_process() -> None:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(answer.run(program(STUBBORN, "cancelled"), b"", 600))
        while not (running.done() or children("cancelled")):  # noqa: ASYNC110 – of a process
            await asyncio.sleep(0.01)
        running.cancel()
    assert running.cancelled()
    assert children("cancelled") == []

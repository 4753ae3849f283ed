"""Programs of Google's and NVIDIA's packages, run against a server; what they print."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import soundfile

from streamer.weights.manifest import require
from tests.end_to_end.clients.programs import python
from tests.end_to_end.rpc.rpc_call import address_of
from tools.harness.process import TIMEOUT_S, Server
from tools.harness.sounds import recording

HERE = Path(__file__).parent
RECORDINGS = require("moonshine-tiny-en")
PUNCTUATED = {"enable_automatic_punctuation": True}

Line = dict[str, Any]


def google(kind: str) -> list[str]:
    """The command of the program with Google's package: `sync` or `async`."""
    return [sys.executable, str(HERE / "google_live.py"), kind]


def riva(kind: str) -> list[str]:
    """That with NVIDIA's: `live`, `recording` or `models`."""
    return [python("riva"), str(HERE / "riva_live.py"), kind]


class Program:
    """A program that is running."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def next(self) -> Line | None:
        """The next line; None = it has ended."""
        assert self.process.stdout is not None
        async with asyncio.timeout(2 * TIMEOUT_S):
            line = await self.process.stdout.readline()
        return json.loads(line) if line else None

    async def rest(self) -> list[Line]:
        """All lines to its end."""
        lines = []
        while (line := await self.next()) is not None:
            lines.append(line)
        assert await self.process.wait() == 0
        return lines


@asynccontextmanager
async def running(
    command: list[str],
    server: Server,
    file: Path | str = "two_cities.wav",
    **options: Any,
) -> AsyncIterator[Program]:
    """Run a program; see `google_live.py` and `riva_live.py` for its options."""
    interpreter, script, kind = command
    path = str(RECORDINGS / file)
    process = await asyncio.create_subprocess_exec(
        *(interpreter, "-W", "ignore", script),
        *(address_of(server), kind, path, json.dumps(options)),
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(
    command: list[str], server: Server, file: Path | str = "two_cities.wav", **options: Any
) -> list[Line]:
    """Run a program to its end; returns what it prints."""
    async with running(command, server, file, **options) as program:
        return await program.rest()


def results(lines: list[Line], *, final: bool = True) -> list[Line]:
    """The results in responses: final ones, or the others."""
    found = [result for line in lines for result in line.get("results", [])]
    return [result for result in found if result.get("is_final", False) == final]


def text(lines: list[Line]) -> str:
    """What was said live: all final transcripts behind each other, as they are."""
    return "".join(one["alternatives"][0]["transcript"] for one in results(lines)).strip()


def recorded_text(lines: list[Line]) -> str:
    """The same of a recording, which has only final ones, in one response."""
    (line,) = lines
    return "".join(one["alternatives"][0]["transcript"] for one in line["results"]).strip()


def seconds(duration: str) -> float:
    """Of a duration in JSON, such as `1.500s`."""
    return float(duration.removesuffix("s"))


def failure(lines: list[Line]) -> tuple[str, str]:
    """The error with which a program has ended, and its message."""
    *_, last = lines
    assert "error" in last, lines
    return last["error"], last["message"]


TERM, MISSPELT = "noisiest", "noisyest"
"""A word, and how the model alone writes it in the last seconds of the longer recording."""


def last_seconds(folder: Path) -> Path:
    """A file with these seconds."""
    samples, rate = recording("two_cities.wav")
    path = folder / "last.wav"
    soundfile.write(path, samples[-16 * rate :], rate, "PCM_16")
    return path


def counted(server: Server, name: str, **labels: str) -> float:
    """The value of a metric, over all series with these labels."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(
        float(line.split()[-1])
        for line in server.get("/metrics").text.splitlines()
        if line.startswith(f"streamer_{name}{{") and all(one in line for one in wanted)
    )

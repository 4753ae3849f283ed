"""The files that the audio takes from socket to event are those that the documentation lists."""

import asyncio
import json
import os
import re
import signal
from pathlib import Path
from typing import NamedTuple

import psutil

import streamer
from tests.end_to_end.conftest import Launch
from tools.harness.process import Server, wait_until
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import Client, client

ARCHITECTURE = Path(__file__).parents[3] / "docs/architecture.md"

TRACER = """
import json, os, signal, sys
from pathlib import Path

folder, files = Path(os.environ["WAY_FOLDER"]), set()

def note(frame, event, _):
    if event == "call":
        files.add(frame.f_code.co_filename)

def start(*_):
    sys.setprofile(note)
    (folder / f"{os.getpid()}.begun").touch()

def stop(*_):
    sys.setprofile(None)
    root = Path(sys.modules["streamer"].__file__).parent
    ran = [path.relative_to(root) for path in map(Path, files) if path.is_relative_to(root)]
    written = folder / f"{os.getpid()}.writing"
    written.write_text(json.dumps([path.as_posix() for path in ran]))
    written.rename(folder / f"{os.getpid()}.json")

signal.signal(signal.SIGUSR1, start)
signal.signal(signal.SIGUSR2, stop)
"""
"""Runs in the server and its worker before anything else; notes the files whose code runs between
two signals."""


class Documented(NamedTuple):
    """What is documented.

    Attributes:
        stations: The files that are listed in order.
        beside: Those whose code runs for every segment, too.
        at_times: Those whose code may run, but need not.
    """

    stations: list[str]
    beside: set[str]
    at_times: set[str]


def documented() -> Documented:
    text = ARCHITECTURE.read_text()
    (section,) = re.findall(r"^## File by file\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    stations, beside, at_times = [], set[str](), set[str]()
    for row in re.findall(r"^\| (?:\d|measures).*\|$", section, re.MULTILINE):
        first, *others = [re.findall(r"`([^`]+)`", cell) for cell in row.strip("|").split("|")]
        stations += first
        package = first[0].partition("/")[0] if first else ""
        for found, names in zip((beside, at_times), others, strict=True):
            full = (name if "/" in name else f"{package}/{name}" for name in names)
            found |= {name.removeprefix("streamer/") for name in full}
    return Documented(stations, beside, at_times)


def test_the_table_has_the_stations_of_the_list() -> None:
    listed = re.findall(r"^.{22}(?=[ \d])\s*\d+ (\S+\.py)", streamer.__doc__ or "", re.MULTILINE)
    way = documented()
    assert way.stations == listed
    root = ARCHITECTURE.parents[1] / "streamer"
    files = [*way.stations, *way.beside, *way.at_times]
    assert [name for name in files if not (root / name).is_file()] == []
    assert len(files) == len({*files})


async def test_the_audio_of_a_segment_passes_these_files_and_no_others(
    launch: Launch, tmp_path: Path
) -> None:
    """A new file on the way has to be documented, and one that is left has to be removed there."""
    ran = await files_of_a_segment(launch, tmp_path)
    way = documented()
    always = {*way.stations, *way.beside}
    assert always - ran == set(), "these do not run"
    assert ran - always - way.at_times == set(), "these are not listed"


async def files_of_a_segment(launch: Launch, tmp_path: Path) -> set[str]:
    """Which files of `streamer` have code that runs from the first audio to the first `segment`."""
    folder = tmp_path / "way"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(TRACER)
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = launch(
        {"inference": {"workers": 1}}, env={"PYTHONPATH": path, "WAY_FOLDER": str(folder)}
    )
    audio = beckett()
    async with client(server) as socket:
        await socket.start(audio)
        assert (await socket.next_event())["type"] == "started"
        await signal_all(server, signal.SIGUSR1, folder, "begun")
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send_live(socket, audio))
            await socket.events_until("segment")
            await signal_all(server, signal.SIGUSR2, folder, "json")
            sending.cancel()
    return {name for path in folder.glob("*.json") for name in json.loads(path.read_text())}


async def send_live(socket: Client, audio: Audio) -> None:
    """Send the audio in messages of 100 ms with pauses, so that each is processed when it comes."""
    size = audio.sample_rate * audio.bytes_per_frame // 10
    for first in range(0, len(audio.data), size):
        await socket.send(audio.data[first : first + size])
        await asyncio.sleep(0.05)


async def signal_all(server: Server, number: signal.Signals, folder: Path, answer: str) -> None:
    """Send a signal to the server and its worker, and wait for the files that answer it."""
    processes = [psutil.Process(server.process.pid), *server.workers()]
    for process in processes:
        process.send_signal(number)
    answers = [folder / f"{process.pid}.{answer}" for process in processes]
    what = f"{number.name} is answered"
    await asyncio.to_thread(wait_until, lambda: all(map(Path.exists, answers)), what)

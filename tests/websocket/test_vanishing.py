"""A client that vanishes leaves nothing behind: no task, no descriptor, no worker, no work."""

import asyncio
import contextlib
import gc
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from streamer.access.tokens import Access
from streamer.app import create_app
from streamer.config.limits import LimitsConfig
from streamer.config.models import ModelConfig
from streamer.config.schema import Config
from streamer.models.resolve import model_specs
from streamer.observe.monitor import Meter, Monitor
from streamer.observe.tracer import Tracer
from streamer.telemetry.setup import Telemetry
from streamer.vad.factory import open_vad
from streamer.websocket.connection import websocket_class
from tests.end_to_end.conftest import Launch
from tests.websocket.in_loop import serving
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import client, events_of, stream_audio

MEGABYTE = 1 << 20


async def test_a_killed_command_leaves_no_descriptor_and_no_process(standin: Server) -> None:
    await stream_audio(standin, beckett())  # what is opened once is open now
    process = psutil.Process(standin.process.pid)
    wait_until(lambda: len(process.net_connections("tcp")) == 1, "earlier sockets are closed")
    descriptors, family = process.num_fds(), standin.descendants()
    for _ in range(3):
        async with _command_in_mid_stream(standin.port) as command:
            assert process.num_fds() > descriptors
            command.kill()
            await command.wait()
        wait_until(lambda: process.num_fds() == descriptors, "its descriptors are closed")
    assert standin.descendants() == family
    assert len(events_of(await stream_audio(standin, beckett()), "segment")) == 6


async def test_a_killed_command_leaves_no_task() -> None:
    async with _server_in_this_loop() as port:
        at_rest = await _tasks_once(lambda names: True)
        assert len(events_of(await stream_audio(port, beckett()), "segment")) == 6
        async with _command_in_mid_stream(port) as command:
            await _tasks_once(lambda names: "Executor.run" in str(names))
            command.kill()
            await command.wait()
        await _tasks_once(lambda names: names == at_rest)


async def test_a_vanished_client_leaves_no_audio() -> None:
    """Not even until the next garbage collection: there may be a hundred megabytes of it."""
    audio = Audio(beckett().data * 8)
    async with _server_in_this_loop(delay=600) as port:
        at_rest = await _tasks_once(lambda names: True)
        tracemalloc.start()
        gc.disable()
        try:
            async with client(port) as vanishing:
                await vanishing.start(audio, vad={"min_silence_ms": 3_000})
                await vanishing.send(audio.data)
                async with asyncio.timeout(TIMEOUT_S):
                    while _held_by_the_server() < 3 * MEGABYTE:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                vanishing.abort()
            await _tasks_once(lambda names: names == at_rest)
            left = _held_by_the_server()
        finally:
            gc.enable()
            tracemalloc.stop()
    assert left < MEGABYTE


def _held_by_the_server() -> int:
    """Bytes, without those of the client, which runs in this process too."""
    ours = tracemalloc.Filter(inclusive=True, filename_pattern="*/streamer/*")
    traces = tracemalloc.take_snapshot().filter_traces([ours])
    return sum(line.size for line in traces.statistics("filename"))


async def test_work_for_a_vanished_client_is_dropped(launch: Launch) -> None:
    """Four minutes of it, which also fail: nobody is there to be told."""
    model = {"type": "standin", "options": {"delay": 1, "failure_rate": 1}}
    server = launch({"model": model, "inference": {"workers": 1, "max_pending_segments": 250}})
    async with client(server, "simple") as vanishing:
        await vanishing.start()
        await vanishing.send(silence(240).data)
        await vanishing.events_until("error")
    assert len(events_of(await stream_audio(server, silence(1), "simple"), "error")) == 1


@contextlib.asynccontextmanager
async def _command_in_mid_stream(port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`streamer-client` with its standard input held open, after its first words."""
    command = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("streamer-client"),
        *("-i", "-", "--output", "jsonl", "-a", f"ws://127.0.0.1:{port}/api/v1/segmented"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert command.stdin is not None
    assert command.stdout is not None
    command.stdin.write(beckett().part(0, 1))
    async with asyncio.timeout(TIMEOUT_S):
        async for line in command.stdout:
            if b'"active"' in line:
                break
    try:
        yield command
    finally:
        if command.returncode is None:
            command.kill()
            await command.wait()
        command.stdin.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            await command.stdin.wait_closed()


@contextlib.asynccontextmanager
async def _server_in_this_loop(
    monitor: Monitor | None = None, **options: object
) -> AsyncIterator[int]:
    monitor = monitor or Monitor()
    config = Config(model=ModelConfig(type="standin", options=options))
    ready = asyncio.Event()
    app = create_app(
        config,
        Access((), time.monotonic),
        model_specs(config, Path()),
        lambda: open_vad(config, Meter(monitor, "vad")),
        Telemetry(monitor, Tracer(), None),
        on_ready=lambda _: ready.set(),
        on_broken=lambda failure: pytest.fail(str(failure)),
    )
    async with serving(app, websocket_class(LimitsConfig())) as port:
        async with asyncio.timeout(TIMEOUT_S):
            await ready.wait()
        yield port


async def _tasks_once(condition: Callable[[list[str]], bool]) -> list[str]:
    """What runs in this loop, as soon as the condition holds."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            tasks = asyncio.all_tasks()
            names = sorted(str(task.get_coro()).partition(" at 0x")[0] for task in tasks)
            if condition(names):
                return names
            await asyncio.sleep(0.01)

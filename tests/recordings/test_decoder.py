"""The decoder process: whatever it does, only its own request notices."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator

import numpy as np
import psutil
import pytest

from streamer.observe.monitor import Monitor
from streamer.recordings import decoder as module
from streamer.recordings.decoder import Decoder, Decoders
from streamer.recordings.errors import AudioFileError, DecoderLost
from streamer.recordings.launcher import DECODER
from streamer.recordings.threads import in_thread
from tests.recordings.kinds import KINDS
from tests.recordings.makers import sound, wav
from tools.harness.process import cpu_s, wait_until

STAND_INS = "tests.recordings.stand_ins:run"


class Counts(Monitor):
    """Decoder processes that run, and how others have failed."""

    def __init__(self) -> None:
        super().__init__()
        self.running = 0
        self.failures: list[tuple[str, str]] = []

    def decoder_started(self, decoded: str) -> None:
        self.running += 1

    def decoder_closed(self, decoded: str) -> None:
        self.running -= 1

    def decoder_failed(self, decoded: str, failure: str) -> None:
        self.failures.append((decoded, failure))


@contextlib.asynccontextmanager
async def decoders(
    program: str = DECODER, monitor: Monitor | None = None
) -> AsyncIterator[Decoders]:
    made = Decoders(program, monitor)
    try:
        yield made
    finally:
        made.close()


async def opened(made: Decoders, body: bytes) -> Decoder:
    with tempfile.TemporaryFile() as file:
        file.write(body)
        file.flush()
        return await made.open(file.fileno())


async def read_all(decoder: Decoder) -> np.ndarray:
    blocks = [np.empty((decoder.channels, 0), np.float32)]
    while (rows := await decoder.read()).shape[1]:
        blocks.append(rows)
    return np.concatenate(blocks, axis=1)


def children() -> list[psutil.Process]:
    """This process's launcher and its decoders; the servers of other tests have their own."""
    found = []
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any("recordings.launcher" in word for word in one.cmdline()):
                found += [one, *one.children()]
    return found


async def test_a_recording_comes_through_the_process_unchanged() -> None:
    samples = sound(2.5, 16_000, 2)
    async with decoders() as made:
        decoder = await opened(made, wav(samples, 16_000))
        assert (decoder.kind, decoder.sample_rate, decoder.channels) == ("WAV", 16_000, 2)
        found = await read_all(decoder)
        decoder.close()
    assert np.abs(found - samples).max() < 1e-4
    assert decoder.warnings == ()


async def test_warnings_come_with_the_end() -> None:
    async with decoders() as made:
        decoder = await opened(made, KINDS["wav size too large"].make())
        await read_all(decoder)
        decoder.close()
    assert "8 bytes" in decoder.warnings[0]
    assert (await decoder.read()).shape == (1, 0)  # the end stays the end


@pytest.mark.parametrize(
    ("order", "says", "cause"),
    [
        (b"crash", "crashed", "crashed"),
        (b"exit", "failed (exit code 3)", "failed"),
        (b"grow", "failed (exit code 1)", "failed"),
        (b"work", "took too much processor time", "stopped"),
        (b"write", "files of 0 bytes", None),
        (b"garbage", "its decoder failed; ", "nonsense"),
        (b"nothing", "its decoder", "failed"),
    ],
)
async def test_what_a_decoder_does_wrong_is_the_recordings_fault(
    order: bytes, says: str, cause: str | None
) -> None:
    counts = Counts()
    async with decoders(STAND_INS, counts) as made:
        with pytest.raises(AudioFileError, match=says.replace("(", r"\(").replace(")", r"\)")):
            await opened(made, order)
        # The next recording is decoded as if nothing had been.
        decoder = await opened(made, wav(sound(0.1, 16_000), 16_000))
        assert (await read_all(decoder)).shape == (1, 16_000)
        assert counts.running == 1
        decoder.close()
        decoder.close()
    assert counts.running == 0
    assert counts.failures == ([("recording", cause)] if cause else [])


@pytest.mark.parametrize(("order", "says"), [(b"late", "crashed"), (b"lie", "failed; ")])
async def test_what_it_does_wrong_later(order: bytes, says: str) -> None:
    async with decoders(STAND_INS) as made:
        decoder = await opened(made, order)
        with pytest.raises(AudioFileError, match=says):
            await read_all(decoder)
        decoder.close()


async def test_a_decoder_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_DEADLINE_S", 3.0)
    counts = Counts()
    async with decoders(STAND_INS, counts) as made:
        with pytest.raises(AudioFileError, match="no progress for 3 s"):
            await opened(made, b"hang")
        assert (counts.running, counts.failures) == (0, [("recording", "stalled")])
        wait_until(lambda: len(children()) == 1, "only the launcher is left")


async def test_a_decoder_ends_with_its_request() -> None:
    async with decoders(STAND_INS) as made:
        made.start()
        waiting = asyncio.ensure_future(opened(made, b"hang"))  # noqa: TID251 – to be cancelled
        await in_thread(wait_until, lambda: len(children()) == 2, "a launcher and a decoder run")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        wait_until(lambda: len(children()) == 1, "only the launcher is left")


async def test_a_slow_reader_holds_the_decoder_up() -> None:
    """Nothing is decoded ahead of what the socket takes: the memory of long recordings."""
    long = wav(sound(60, 48_000, 2), 48_000)
    async with decoders() as made:
        with tempfile.TemporaryFile() as file:
            file.write(long)
            file.seek(0)
            decoder = await made.open(file.fileno())
            await decoder.read()
            (worker,) = (one for one in children() if one.ppid() != os.getpid())
            wait_until(lambda: worker.status() == psutil.STATUS_SLEEPING, "it waits")
            used_s = cpu_s(worker)
            await asyncio.sleep(0.2)
            assert cpu_s(worker) == used_s
            # Both have the same position in the file.
            assert os.lseek(file.fileno(), 0, os.SEEK_CUR) < len(long) / 10
        assert (await read_all(decoder)).shape == (2, 59 * 48_000)
        decoder.close()


async def test_a_decoder_can_open_nothing() -> None:
    async with decoders(STAND_INS) as made:
        with pytest.raises(AudioFileError, match=r"done: \[\]"):
            await opened(made, b"open")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may have as many processes as it likes")
async def test_a_decoder_can_start_no_process() -> None:
    async with decoders(STAND_INS) as made:
        with pytest.raises(AudioFileError, match="refused"):
            await opened(made, b"fork")


async def test_a_launcher_that_was_killed_is_started_again() -> None:
    body = wav(sound(0.5, 16_000), 16_000)
    async with decoders() as made:
        made.start()
        (launcher,) = children()
        launcher.kill()
        launcher.wait()
        decoder = await opened(made, body)
        assert (await read_all(decoder)).shape == (1, 8_000)
        decoder.close()


async def test_a_launcher_that_dies_with_a_decoder_is_no_fault_of_the_recording() -> None:
    counts = Counts()
    async with decoders(STAND_INS, counts) as made:
        made.start()
        (launcher,) = children()
        waiting = asyncio.ensure_future(opened(made, b"hang"))  # noqa: TID251 – awaited below
        await in_thread(wait_until, lambda: len(children()) == 2, "a launcher and a decoder run")
        launcher.kill()
        with pytest.raises(DecoderLost):
            await waiting
        wait_until(lambda: not [one for one in children() if one.pid != launcher.pid], "all end")
    assert (counts.running, counts.failures) == (0, [("recording", "lost")])


async def test_no_secret_of_the_server_is_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STREAMER_TOKENS", "OTEL_EXPORTER_OTLP_HEADERS", "HF_TOKEN"):
        monkeypatch.setenv(name, "my-secret")
    async with decoders() as made:
        made.start()
        (launcher,) = children()
        assert "my-secret" not in launcher.environ().values()


def test_all_processes_end_with_the_server() -> None:
    program = (
        "import asyncio, sys, time; from streamer.recordings.decoder import Decoders; "
        "made = Decoders('tests.recordings.stand_ins:run'); "
        "file = open(sys.argv[1], 'rb'); "
        "print('ready', flush=True); asyncio.run(made.open(file.fileno()))"
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"hang")
        file.flush()
        server = subprocess.Popen(
            [sys.executable, "-c", program, file.name], stdout=subprocess.PIPE
        )
        assert server.stdout is not None
        server.stdout.readline()
        found: list[psutil.Process] = []

        def both() -> bool:
            found[:] = psutil.Process(server.pid).children(recursive=True)
            return len(found) == 2

        wait_until(both, "a launcher and a decoder run")
        server.send_signal(signal.SIGKILL)
        server.wait()
        server.stdout.close()
        wait_until(lambda: not any(one.is_running() for one in found), "both end")


def test_the_server_never_loads_ffmpeg() -> None:
    program = (
        "import sys; import streamer.app, streamer.server, streamer.http.transcriptions; "
        "sys.exit('av' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def open_descriptors() -> int:
    return psutil.Process().num_fds()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS])
@pytest.mark.parametrize("pair", [1, 2])
async def test_a_lack_of_descriptors_is_no_fault_of_the_recording(
    monkeypatch: pytest.MonkeyPatch, number: int, pair: int
) -> None:
    async with decoders() as made:
        made.start()
        before, count, socketpair = open_descriptors(), 0, socket.socketpair

        def failing() -> tuple[socket.socket, socket.socket]:
            nonlocal count
            count += 1
            if count == pair:
                raise OSError(number, os.strerror(number))
            ends = socketpair()
            held.extend(ends)  # so that nothing but the code under test closes them
            return ends

        held: list[socket.socket] = []
        with monkeypatch.context() as patch:
            patch.setattr(socket, "socketpair", failing)
            with pytest.raises(DecoderLost, match=os.strerror(number)):
                await opened(made, b"")
        assert open_descriptors() == before


@pytest.mark.parametrize("number", [errno.ETOOMANYREFS, errno.EMFILE, errno.ENOBUFS])
async def test_descriptors_that_cannot_be_sent_are_no_fault_of_the_recording(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def failing(*args: object) -> int:
        raise OSError(number, os.strerror(number))

    async with decoders() as made:
        made.start()
        before = open_descriptors()
        with monkeypatch.context() as patch:
            patch.setattr(socket, "send_fds", failing)
            with pytest.raises(DecoderLost, match=os.strerror(number)):
                await opened(made, b"")
        assert open_descriptors() == before
        decoder = await opened(made, wav(sound(0.5, 16_000), 16_000))
        assert (await read_all(decoder)).shape == (1, 8_000)
        decoder.close()


async def test_a_launcher_that_cannot_be_started_is_no_fault_of_the_recording(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*args: object, **kwargs: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    counts = Counts()
    async with decoders(monitor=counts) as made:
        before = open_descriptors()
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", failing)
            with pytest.raises(DecoderLost):
                await opened(made, b"")
            with pytest.raises(DecoderLost):
                made.open_live()
        assert open_descriptors() == before
    assert (counts.running, counts.failures) == (0, [("recording", "lost"), ("stream", "lost")])

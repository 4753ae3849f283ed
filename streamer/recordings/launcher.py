"""The process that decoder processes are forked from: it has FFmpeg loaded, and meets no recording.

    server ── control ──▶ launcher ── fork ──▶ decoder ── messages ──▶ server
                             ▲                                           │
                             └──────────────── lifeline ─────────────────┘

Each request comes with three descriptors: the recording, or a socket from which a live stream
comes; where the messages go; and a lifeline. When the server closes the lifeline, the decoder is
killed; when the decoder ends, its exit status is written to the lifeline. When the server is gone,
control ends, and all of them end.
"""

import contextlib
import gc
import importlib
import io
import os
import selectors
import signal
import socket
import struct
import sys
import wave
from collections.abc import Callable
from typing import BinaryIO, cast

from streamer.recordings import sandbox
from streamer.recordings.link import is_live

Run = Callable[[int, socket.socket], None]

DECODER = "streamer.recordings.child:run"
"""What a decoder process runs."""

MEMORY_BYTES = 256 << 20
"""Bytes of address space that a decoder may take beyond what the launcher has. Measured: 3 MiB for
FLAC, MP3 and AAC, however long they are; the index of a long video takes tens of MiB."""

REQUEST_FDS = 3

STATUS = struct.Struct("<i")
"""A decoder's exit status as of waitpid(2)."""


def main() -> None:
    """Run: the arguments are the descriptor of control, and what decoders run."""
    sandbox.ignore_signals()  # the server ends it, by closing control
    with socket.socket(fileno=int(sys.argv[1])) as control:
        run = _load(sys.argv[2])
        _warm_up()
        _Launcher(control, run).serve()


class _Launcher:
    def __init__(self, control: socket.socket, run: Run) -> None:
        self._control = control
        self._run = run
        self._lifelines: dict[int, socket.socket] = {}
        self._nowhere = os.open(os.devnull, os.O_RDWR)
        base = sandbox.address_space_bytes()
        self._memory_bytes = base + MEMORY_BYTES if base else 0

    def serve(self) -> None:
        """Fork and reap until control ends."""
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        with woken, wake, selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is woken:
                        woken.recv(4_096)
                        self._reap(selector)
                    elif key.fileobj is self._control:
                        if not self._accept(selector):
                            return self._end()
                    elif key.data in self._lifelines:
                        # The server has let go; what has ended is reaped at SIGCHLD.
                        os.kill(key.data, signal.SIGKILL)
                        selector.unregister(key.fileobj)

    def _accept(self, selector: selectors.BaseSelector) -> bool:
        """Start a decoder; False when the server is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1, REQUEST_FDS)
        except ConnectionError:
            return False
        if not data:
            return False
        if len(descriptors) != REQUEST_FDS:
            for descriptor in descriptors:
                os.close(descriptor)
            return True
        body, answers, lifeline = descriptors
        try:
            pid = os.fork()
        except OSError:  # no room for another process: the server sees the closed lifeline
            pid = -1
        if not pid:
            self._become_decoder(body, answers)
        os.close(body)
        os.close(answers)
        held = socket.socket(fileno=lifeline)
        if pid < 0:
            held.close()
            return True
        self._lifelines[pid] = held
        selector.register(held, selectors.EVENT_READ, pid)
        return True

    def _become_decoder(self, body: int, answers: int) -> None:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for standard in (0, 1, 2):
                os.dup2(self._nowhere, standard)
            sandbox.keep_only((body, answers))
            cpu_s = sandbox.LIVE_CPU_S if is_live(body) else sandbox.CPU_S
            sandbox.confine(self._memory_bytes, cpu_s)
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=answers)
            self._run(body, link)
            code = 0
        finally:
            os._exit(code)

    def _reap(self, selector: selectors.BaseSelector) -> None:
        while self._lifelines:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            lifeline = self._lifelines.pop(pid)
            if lifeline.fileno() in selector.get_map():
                selector.unregister(lifeline)
            with contextlib.suppress(OSError):  # the server has let go
                lifeline.send(STATUS.pack(status))
            lifeline.close()

    def _end(self) -> None:
        signal.set_wakeup_fd(-1)
        for pid, lifeline in self._lifelines.items():
            os.kill(pid, signal.SIGKILL)
            lifeline.close()
        os.close(self._nowhere)


def _load(path: str) -> Run:
    module, _, name = path.partition(":")
    return cast("Run", getattr(importlib.import_module(module), name))


def _warm_up() -> None:
    """Load what is loaded at first use: a decoder cannot open a file any more."""
    from streamer.recordings.decoding import Decoding  # FFmpeg, which the server never loads

    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 8_000, 0, "NONE", ""))
        sound.writeframes(bytes(3_200))
    second = io.BytesIO()
    with wave.open(second, "wb") as sound:
        sound.setparams((2, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(6_400))
    both = io.BytesIO(file.getvalue() + second.getvalue())  # also resamples and mixes
    decoding = Decoding(cast("BinaryIO", both))
    for _ in decoding.blocks(1_000):
        pass
    decoding.report()
    gc.collect()
    gc.freeze()  # forked processes do not write to what they share

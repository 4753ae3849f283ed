"""Decoders that do what a decoder may be made to do by a file; a recording's bytes say what."""

import ctypes
import math
import os
import resource
import socket
import time
from collections.abc import Callable, Mapping

import msgspec
import numpy as np

from streamer.recordings import link
from streamer.recordings.decoding import Header
from streamer.recordings.launcher import MEMORY_BYTES
from streamer.recordings.sandbox import CPU_S


def run(body_fd: int, answers: socket.socket) -> None:
    """Obey the recording, or the stream; any other is a second of silence."""
    live = link.is_live(body_fd)
    order = (os.read(body_fd, 100) if live else os.pread(body_fd, 100, 0)).strip()
    if order.startswith(b"RIFF"):
        _say(answers, link.HEADER, msgspec.json.encode(Header("WAV", "none", 16_000, 1, None)))
        _say(answers, link.BLOCK, np.zeros(16_000, np.float32).tobytes())
        _say(answers, link.REPORT, b"[1.0, null, 0, 0, []]")
    elif order in _OBEY:
        _OBEY[order](answers)


def _say(answers: socket.socket, kind: bytes, body: bytes) -> None:
    answers.sendall(link.PREFIX.pack(kind, len(body)) + body)


def _crash(answers: socket.socket) -> None:
    ctypes.string_at(0)


def _hang(answers: socket.socket) -> None:
    while True:
        pass


def _grow(answers: socket.socket) -> None:
    """Four times what a decoder may have: enough to show that a limit is missing, and no more."""
    kept: list[bytes] = []
    while sum(len(each) for each in kept) < 4 * MEMORY_BYTES:
        kept.append(b"\1" * (16 << 20))
    _say(answers, link.REFUSAL, msgspec.json.encode(link.Refusal("it grew")))


def _work(answers: socket.socket) -> None:
    """Take more processor time than is allowed, of which only a second is left."""
    _, hard_s = resource.getrlimit(resource.RLIMIT_CPU)
    if hard_s != CPU_S:
        _say(answers, link.REFUSAL, msgspec.json.encode(link.Refusal(f"allowed: {hard_s} s")))
    used_s = math.ceil(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + 1, hard_s))
    _hang(answers)


def _write(answers: socket.socket) -> None:
    """Write to a file that is open already: the recording itself, or standard output."""
    size, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    _say(answers, link.REFUSAL, msgspec.json.encode(link.Refusal(f"files of {size} bytes")))


def _garbage(answers: socket.socket) -> None:
    answers.sendall(b"\xff" * 1_000_000)


def _lie(answers: socket.socket) -> None:
    """A block that is longer than the header allows."""
    _say(answers, link.HEADER, msgspec.json.encode(Header("WAV", "none", 16_000, 1, None)))
    _say(answers, link.BLOCK, bytes(4 << 20))


def _exit(answers: socket.socket) -> None:
    os._exit(3)


def _late(answers: socket.socket) -> None:
    """Crash in the middle of the audio."""
    _say(answers, link.HEADER, msgspec.json.encode(Header("WAV", "none", 16_000, 1, None)))
    _say(answers, link.BLOCK, np.zeros(16_000, np.float32).tobytes())
    time.sleep(0.01)
    ctypes.string_at(0)


def _open(answers: socket.socket) -> None:
    """Report which of the forbidden things succeed."""
    attempts: dict[str, Callable[[], object]] = {
        "file": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "socket": lambda: socket.socket(),
        "pipe": os.pipe,
        "memory file": lambda: os.memfd_create("x"),
    }
    done = []
    for name, attempt in attempts.items():
        try:
            attempt()
            done.append(name)
        except OSError:
            continue
    with_names = msgspec.json.encode(link.Refusal(f"done: {done}"))
    _say(answers, link.REFUSAL, with_names)


def _fork(answers: socket.socket) -> None:
    try:
        if not os.fork():
            os._exit(0)
        text = "forked"
    except OSError:
        text = "refused"
    _say(answers, link.REFUSAL, msgspec.json.encode(link.Refusal(text)))


_OBEY: Mapping[bytes, Callable[[socket.socket], None]] = {
    b"crash": _crash,
    b"exit": _exit,
    b"fork": _fork,
    b"garbage": _garbage,
    b"grow": _grow,
    b"hang": _hang,
    b"late": _late,
    b"lie": _lie,
    b"open": _open,
    b"work": _work,
    b"write": _write,
}

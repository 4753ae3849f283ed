"""What the process of a worker runs, and the memory that it shares with the server."""

import ctypes
import multiprocessing
import socket
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from streamer.inference.worker import run
from streamer.models.registry import ModelSpec

SLOT_SAMPLES = 60 * 16_000
"""Samples in a worker's shared-memory slot: the longest allowed segment, at 16 kHz."""

Slot: TypeAlias = "ctypes.Array[ctypes.c_float]"


def new_slot() -> Slot:
    """Shared memory for the samples of one worker at a time."""
    return multiprocessing.get_context("spawn").RawArray(ctypes.c_float, SLOT_SAMPLES)


EntryPoint = Callable[[socket.socket, Slot, ModelSpec], None]
"""What a worker process runs: with its end of the link, its slot, and the model."""


class Program(NamedTuple):
    """What the process of a worker does.

    Attributes:
        run: Its entry point, which can be pickled.
        remote: Whether it passes its jobs on to another machine. Such a process ends when it has
            lost that machine, so its death is not the work of a segment.
        advice: What to look at when such a process has ended, and has not said why.
    """

    run: EntryPoint
    remote: bool = False
    advice: str = ""


LOCAL = Program(run)
"""The model runs in the worker process itself."""

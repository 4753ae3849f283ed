"""The process on a node, without a cluster."""

import multiprocessing
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from streamer import Model
from streamer.inference import ipc
from streamer.models.registry import ModelSpec
from streamer.remote.actor import RemoteModel
from tools.harness.process import TIMEOUT_S

SPEC = ModelSpec("tests.remote.test_actor:Leaving", "leaving")


class Leaving(Model):
    """Ends its process with the first segment."""

    def warm_up(self) -> None:
        """Nothing."""

    def infer(self, samples: npt.NDArray[np.float32]) -> Mapping[str, object]:
        raise SystemExit


def ask() -> None:
    """The process of an actor that gets one call."""
    model = RemoteModel(msgspec.msgpack.encode(SPEC), 60.0, shared=True)
    (loaded,) = ipc.WorkerMessageReader().feed(model.load())
    assert isinstance(loaded, ipc.Ready)
    model.infer("key", ipc.encode_message(ipc.Batch([ipc.BatchItem(3)])), bytes(12))


def test_a_model_that_ends_its_process_ends_the_actor() -> None:
    """A shared one would else live on, and keep all servers waiting."""
    process = multiprocessing.get_context("spawn").Process(target=ask)
    process.start()
    try:
        process.join(TIMEOUT_S)
        assert process.exitcode == 1
    finally:
        process.kill()
        process.join()

"""The actor: on a node of the cluster, it loads the model and answers the bridges of servers."""

import os
import threading
import time
from pathlib import Path
from typing import NoReturn

import msgspec

from streamer.inference import ipc
from streamer.inference.batch_inference import inference_method, models_of, warm_up
from streamer.inference.model_errors import describe, place_of_method, place_while_loading
from streamer.inference.worker import properties_of, use_one_thread
from streamer.models.registry import ModelSpec, ModelTypeError, make_model
from streamer.remote.gathering import Gatherer
from streamer.remote.versions import Versions, versions_here
from streamer.weights.manifest import MissingModel, known_models, models_dir, require

ORPHANED_S = 60.0
"""Seconds without any server after which a shared actor ends."""

PATIENCE_S = 5.0
"""Seconds that a hung inference has after the server's own deadline: the server is to report it."""


class Description(msgspec.Struct, frozen=True):
    """Where an actor runs: id of its process, id of its node in the cluster, versions there."""

    pid: int
    node_id: str
    versions: Versions


class RemoteModel:
    """One model in a process of a node; Ray makes an actor of it.

    All messages are those that a local worker exchanges with its server, in the same encoding.
    Each method runs in the threads of its concurrency group (`placement.py`).
    """

    def __init__(self, spec: bytes, timeout_s: float, *, shared: bool) -> None:
        """Load nothing yet, so that it shows soon that there was room for the actor.

        Args:
            spec: A `ModelSpec` whose folders are names.
            timeout_s: After an inference of this duration, the actor ends.
            shared: Whether several servers use it: then calls wait here for each other.
        """
        use_one_thread()
        self._spec = msgspec.msgpack.decode(spec, type=ModelSpec)
        self._timeout_s = timeout_s
        self._shared = shared
        self._gatherer: Gatherer | None = None
        self._ready = b""
        self._watched_s = time.monotonic()
        if shared:
            threading.Thread(target=self._end_when_orphaned, daemon=True).start()

    def describe(self) -> bytes:
        """Where this is, as a `Description`."""
        import ray

        node_id = ray.get_runtime_context().get_node_id()
        here = Description(os.getpid(), node_id, versions_here(ray.__version__))
        return msgspec.msgpack.encode(here)

    def load(self) -> bytes:
        """Load the model, once; returns `ipc.Ready` or `ipc.LoadFailed`."""
        if self._gatherer is None:
            self._ready = self._load()
        return self._ready

    def _load(self) -> bytes:
        model = None
        try:
            model = make_model(_on_this_node(self._spec))
            warm_up(model)
        except BaseException as error:  # whatever it is, the server reports it
            place = place_while_loading(error)
            if model is not None and not place:
                part = models_of(model)[0]
                place = place_of_method(part, inference_method(part))
            plain = isinstance(error, ModelTypeError | MissingModel)
            reason = str(error) if plain else describe(error)
            return ipc.encode_message(ipc.LoadFailed(f"{reason} ({place})" if place else reason))
        ready = properties_of(model)
        wait_s = 0.0
        if self._shared:  # segments of all servers wait here for each other, and not in each server
            wait_s = ready.max_batch_wait_ms / 1000
            ready = msgspec.structs.replace(ready, max_batch_wait_ms=0.0)
        self._gatherer = Gatherer(model, wait_s, self._timeout_s + PATIENCE_S)
        threading.Thread(target=_run_or_end, args=(self._gatherer,), daemon=True).start()
        return ipc.encode_message(ready)

    def infer(self, key: str, batch: bytes, *samples: bytes) -> bytes:
        """Run a batch.

        Args:
            key: Names the call, for `abandon`.
            batch: An `ipc.Batch` without samples.
            samples: float32, in pieces of any length.

        Returns:
            An `ipc.BatchOutcome`, whose moments are on the clock of this machine.
        """
        assert self._gatherer is not None
        (message,) = ipc.WorkerMessageReader().feed(batch)
        assert isinstance(message, ipc.Batch)
        return ipc.encode_message(self._gatherer.infer(key, message.items, b"".join(samples)))

    def abandon(self, key: str) -> None:
        """The results of a call are not needed any more, so that the model can stop."""
        if self._gatherer is not None:
            self._gatherer.abandon(key)

    def watch(self, seconds: float) -> None:
        """Return after some seconds: a server that waits for this learns at once of an end."""
        self._watched_s = time.monotonic()
        time.sleep(seconds)

    def _end_when_orphaned(self) -> None:
        while time.monotonic() < self._watched_s + ORPHANED_S:
            time.sleep(ORPHANED_S / 10)
        os._exit(0)


def _run_or_end(gatherer: Gatherer) -> NoReturn:
    """Answer calls. What a model raises to end its process, such as SystemExit, ends this one, too.

    Otherwise a shared actor would live on, and answer nothing for ever.
    """
    try:
        gatherer.run()
    finally:
        os._exit(1)


def _on_this_node(spec: ModelSpec) -> ModelSpec:
    """The model with its folders on this machine.

    A class of one's own is imported from the folder of all models, too.
    """
    return msgspec.structs.replace(
        spec,
        folder=_folder(spec.folder),
        interim_folder=_folder(spec.interim_folder),
        search_path=(str(models_dir()),),
    )


def _folder(name: str | None) -> str | None:
    if name is None:
        return None
    if name in known_models():
        return str(require(name))
    folder: Path = models_dir() / name
    if not folder.is_dir():
        raise MissingModel(f"there is no folder {name!r} in {models_dir()} (STREAMER_MODELS)")
    return str(folder)

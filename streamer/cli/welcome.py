"""What is announced when the server is ready: addresses, and commands to try."""

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from streamer.inference.pool import WorkerPool
from streamer.models.registry import language_names
from streamer.weights.sample import sample_recording


class ServedModel(NamedTuple):
    """A model as a person tries it."""

    name: str
    transcribes: bool
    interims_by: str = ""
    """The second model, which makes the interims; empty = there is none."""

    @classmethod
    def of(cls, pool: WorkerPool) -> "ServedModel":
        """The model of a pool that is ready; one with words is a transcriber, too."""
        spec = pool.spec
        transcribes = bool(language_names(spec.type)) or pool.returns_words
        return cls(spec.name, transcribes, Path(spec.interim_folder or "").name)

    def __str__(self) -> str:
        return f"{self.name} (interims: {self.interims_by})" if self.interims_by else self.name


class WorkersReady(NamedTuple):
    """How many workers of all models there are when the server is ready.

    Attributes:
        local: Processes on this machine with a model.
        remote: Workers on other machines with a model.
        to_come: Remote workers that have none yet.
    """

    local: int
    remote: int = 0
    to_come: int = 0

    @classmethod
    def of(cls, pools: Iterable[WorkerPool]) -> "WorkersReady":
        """Those of pools that are ready."""
        total = remote = to_come = 0
        for pool in pools:
            total += pool.workers_alive
            if pool.crew is not None:
                remote += pool.crew.remote_alive
                to_come += max(0, pool.crew.wanted - pool.crew.remote_alive)
        return cls(total - remote, remote, to_come)

    def __str__(self) -> str:
        here = [_number(self.local, "worker process", "worker processes")] if self.local else []
        there = [_number(self.remote, "remote worker", "remote workers")] if self.remote else []
        text = " and ".join(here + there)
        if self.to_come:
            text += (
                f"; {_number(self.to_come, 'remote worker is', 'remote workers are')} still to come"
            )
        return text


def _number(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def welcome(
    address: str,
    models: Sequence[ServedModel],
    workers: WorkersReady,
    chunk_s: float,
    *,
    needs_token: bool,
    grpc: str | None = None,
) -> str:
    """The text, in lines.

    Args:
        address: Of the server, `http://host:port`.
        models: In the order of the configuration; the first is the one of clients that name none.
        workers: How many there are.
        chunk_s: Seconds of a chunk on `/api/v1/simple`.
        needs_token: Whether clients must have a token. None is shown: this may go into a log.
        grpc: Address of the port for gRPC, `grpc://host:port`; None = there is none.
    """
    sockets = address.replace("http", "ws", 1)
    return "\n".join(
        (
            f"Ready: {', '.join(map(str, models))} in {workers}.",
            f"  in a browser    {address}/",
            f"  for programs    {sockets}/api/v1/segmented   {sockets}/api/v1/simple",
            *([f"  over gRPC       {grpc}"] if grpc else []),
            f"  for operators   {address}/api/v1/info   {address}/api/v1/ready",
            "Try, in another terminal, in any folder:",
            *_to_try(address, models, chunk_s, needs_token),
            "Stop with Ctrl-C.",
        )
    )


def _to_try(
    address: str, models: Sequence[ServedModel], chunk_s: float, needs_token: bool
) -> Iterator[str]:
    """A command for each transcriber; for any other model, one for each kind of sound.

    The page begins with the first model, and with speech.
    """
    sockets = address.replace("http", "ws", 1)
    command = _client()
    token = " --token TOKEN" if needs_token else ""
    sample = sample_recording()
    for number, model in enumerate(models):
        chosen = f" --model {shlex.quote(model.name)}" if number else ""
        if model.transcribes:
            recording = "RECORDING" if sample is None else _shown(sample)
            yield (
                f"  {command} --real-time --interim-results -a {sockets}/api/v1/segmented"
                f"{token}{chosen} {recording}"
            )
            continue
        page = f"  or in a browser: {address}/" + (f", Model: {model.name}" if number else "")
        yield f"  if {model.name} is about speech (each segment from pause to pause):"
        yield f"  {command} -a {sockets}/api/v1/segmented{token}{chosen} RECORDING"
        yield page
        yield f"  if it is about other sounds (everything, in chunks of {chunk_s:g} s):"
        yield f"  {command} -a {sockets}/api/v1/simple{token}{chosen} RECORDING"
        yield f"{page}, Advanced, Equal chunks"


def _client() -> str:
    """The command of the client that was installed with this server."""
    folders = (Path(program).parent for program in (sys.argv[0], sys.executable))
    found = (path for folder in folders if (path := folder / "streamer-client").is_file())
    return next(map(_shown, found), "streamer-client")


def _shown(path: Path) -> str:
    """A path that leads there from any folder, for a shell."""
    return shlex.quote(str(path.absolute()))

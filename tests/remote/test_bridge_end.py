"""How the end of a bridge is described: it has no model, so no model has ended it."""

import os
import signal

import pytest

from streamer.inference.worker_link import WorkerDied
from streamer.inference.worker_process import ModelCannotLoad, WorkerProcess
from streamer.inference.worker_program import Program, new_slot
from streamer.models.registry import ModelSpec

SPEC = ModelSpec("t:M", "test")


def exits(*_: object) -> None:
    os._exit(1)


def is_killed(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("run", "how"), [(exits, "exit code 1"), (is_killed, "killed by SIGKILL")])
async def test_a_bridge_that_ends_before_it_is_ready(run: object, how: str) -> None:
    program = Program(run, remote=True)  # type: ignore[arg-type]
    worker = await WorkerProcess.launch(SPEC, 0, new_slot(), program)
    try:
        with pytest.raises(WorkerDied) as died:
            await worker.loaded()
        assert str(died.value) == how
        assert not died.value.by_model
        assert await worker.how_it_ended() == how
    finally:
        await worker.end(at_once=True)


async def test_a_local_worker_that_ends_has_a_model_that_may_be_the_reason() -> None:
    worker = await WorkerProcess.launch(SPEC, 0, new_slot(), Program(exits))
    try:
        with pytest.raises(ModelCannotLoad, match="the model, or a library that it uses"):
            await worker.loaded()
    finally:
        await worker.end(at_once=True)

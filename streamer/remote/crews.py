"""From the settings of a model to the workers of its pool that come and go."""

import functools

from streamer.config.remote import RemoteConfig
from streamer.inference.crew import CrewPlan
from streamer.inference.worker_program import Program
from streamer.remote import bridge
from streamer.remote.plan import RemotePlan


def crew_plan(remote: RemoteConfig, *, local: int, cores: int, timeout_s: float) -> CrewPlan:
    """The remote workers of a model, and the local ones that stand in for them.

    Args:
        remote: The settings.
        local: Local workers that the model has anyway.
        cores: Of this machine: no more workers run on it than it has cores.
        timeout_s: Seconds after which an inference counts as hung.
    """
    advice = (
        f"is a node of the cluster at {remote.address} on this machine, of the server's user, with "
        "the same /tmp and processes? Ray's own log files may say more"
    )

    def program(number: int) -> Program:
        plan = RemotePlan(remote, number, timeout_s)
        return Program(functools.partial(bridge.run, plan), remote=True, advice=advice)

    spare = max(0 if local else 1, cores - local) if remote.fallback == "local" else 0
    return CrewPlan(program, remote.workers, remote.least, remote.most, min(spare, remote.most))

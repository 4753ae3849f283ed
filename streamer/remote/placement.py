"""What is asked of the cluster for one remote worker. Pure."""

from collections.abc import Mapping

from streamer.config.remote import RemoteConfig
from streamer.models.registry import ModelSpec
from streamer.remote.plan import NAMESPACE, RemotePlan, shared_name

CALLERS = 64
"""Servers that may use one shared worker at the same time."""


class Unavailable(Exception):
    """There can be no remote worker now; the message says why, in one line."""


def actor_options(plan: RemotePlan, spec: ModelSpec) -> dict[str, object]:
    """Options of the actor: what it reserves, where, how many calls it takes, how long it lives.

    The death of an actor is for the server to deal with, so Ray neither restarts it nor repeats a
    call. One that is shared lives until no server uses it; others end with their bridge.
    """
    remote = plan.remote
    options: dict[str, object] = {
        "num_cpus": remote.num_cpus,
        "num_gpus": remote.num_gpus,
        "resources": dict(remote.resources),
        "scheduling_strategy": "SPREAD",
        "max_restarts": 0,
        "max_task_retries": 0,
    }
    if remote.shared:
        options |= {
            "name": shared_name(plan, spec),
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "get_if_exists": True,
        }
    return options


def concurrency_groups(remote: RemoteConfig) -> dict[str, int]:
    """The actor's groups of threads, with the calls that each takes at the same time."""
    callers = CALLERS if remote.shared else 1
    return {"infer": callers, "control": 1, "watch": callers}


def reserved(remote: RemoteConfig) -> dict[str, float]:
    """What one worker reserves, by the names that Ray has for it."""
    amounts = {"CPU": remote.num_cpus, "GPU": remote.num_gpus, **remote.resources}
    return {name: amount for name, amount in amounts.items() if amount}


def in_words(amounts: Mapping[str, float]) -> str:
    """Amounts of resources, for the log."""
    return ", ".join(f"{amount:g} {name}" for name, amount in amounts.items())

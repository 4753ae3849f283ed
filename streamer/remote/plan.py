"""What a bridge has to know: the settings, and the model in words that mean the same elsewhere."""

import hashlib
from pathlib import Path

import msgspec

import streamer
from streamer.config.remote import RemoteConfig
from streamer.models.registry import ModelSpec

NAMESPACE = "streamer"
"""Of the names of shared workers, within the cluster."""


class RemotePlan(msgspec.Struct, frozen=True):
    """What the process of a bridge gets beside the model.

    Attributes:
        remote: The settings.
        number: Which of the model's remote workers it is, from 0.
        timeout_s: Seconds after which a running inference counts as hung.
    """

    remote: RemoteConfig
    number: int
    timeout_s: float


def for_other_machines(spec: ModelSpec) -> ModelSpec:
    """The model without any path of this machine: its folders by their names."""
    return msgspec.structs.replace(
        spec,
        folder=_name(spec.folder),
        interim_folder=_name(spec.interim_folder),
        search_path=(),
    )


def _name(folder: str | None) -> str | None:
    return None if folder is None else Path(folder).resolve().name


def shared_name(plan: RemotePlan, spec: ModelSpec) -> str:
    """The name of a worker that is shared: the same for all servers with the same settings."""
    remote = plan.remote
    settings = (
        streamer.__version__,
        for_other_machines(spec),
        (remote.num_cpus, remote.num_gpus, sorted(remote.resources.items())),
    )
    digest = hashlib.sha256(msgspec.json.encode(settings, order="deterministic")).hexdigest()
    return f"{spec.name}-{plan.number}-{digest[:16]}"

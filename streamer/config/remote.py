"""`model.remote`: workers of a model that run on other machines."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamer.config.explain import ALLOWED

HOST_AND_PORT = r"^(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):[0-9]{1,5}$"

Amount = Annotated[float, Meta(ge=0)]


class RemoteConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Remote workers of a model, beside its local ones.

    `engine` runs them; `address` is that of the head of a Ray cluster, of which this machine is a
    node. There are `workers` of them, or, as the load asks for, from `min_workers` to
    `max_workers`. Each reserves `num_cpus`, `num_gpus` and `resources` of a node. `connect_seconds`
    is how long the address may take to answer. While it does not, `fallback: "local"` runs workers
    on the cores that the model's own do not use. `only` means that the model has no local workers.
    `shared` means that all servers of the cluster with the same settings use the same workers.
    """

    engine: Literal["ray"] = "ray"
    address: Annotated[
        str,
        Meta(
            pattern=HOST_AND_PORT,
            extra={ALLOWED: "HOST:PORT of the head of a Ray cluster, such as ray-head:6379"},
        ),
    ]
    workers: Annotated[int, Meta(ge=0)] = 1
    min_workers: Annotated[int, Meta(ge=0)] | None = None
    max_workers: Annotated[int, Meta(ge=1)] | None = None
    num_cpus: Amount = 1.0
    num_gpus: Amount = 0.0
    resources: Annotated[
        dict[str, Amount],
        Meta(extra={ALLOWED: 'names with an amount of each, such as {"accelerator": 1}'}),
    ] = {}
    connect_seconds: Annotated[float, Meta(gt=0)] = 2.0
    fallback: Literal["local", "none"] = "local"
    only: bool = False
    shared: bool = False

    @property
    def least(self) -> int:
        """Remote workers when there is little to do."""
        return self.workers if self.min_workers is None else self.min_workers

    @property
    def most(self) -> int:
        """Remote workers when there is much to do."""
        return self.workers if self.max_workers is None else self.max_workers

    def conflict(self) -> str | None:
        """What is wrong with the numbers of workers, in one sentence; None when nothing is."""
        if not self.least <= self.workers <= self.most:
            return (
                f"'min_workers' is {self.least}, 'workers' is {self.workers}, 'max_workers' is "
                f"{self.most}; allowed: numbers that do not fall in this order"
            )
        if not self.most:
            return "'workers' is 0; allowed: at least 1, or with 'max_workers' from 0 on"
        if self.only and not self.least:
            return "'only' is true, and there may be 0 remote workers; allowed: at least 1"
        return None

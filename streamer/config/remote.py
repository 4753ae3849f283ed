"""`model.remote`: workers of a model that run on other machines."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamer.config.explain import ALLOWED, show, show_name

HOST_AND_PORT = r"^(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):[0-9]{1,5}$"

Amount = Annotated[float, Meta(ge=0)]

SMALLEST_AMOUNT = 1e-4
"""Of a resource; Ray counts in such steps."""

_RESERVED = {
    "CPU": "use 'num_cpus'",
    "GPU": "use 'num_gpus'",
    "memory": "use 'num_cpus', or a name of your own that the nodes are started with",
    "object_store_memory": "leave it out: no audio goes through the object store",
    "bundle": "use another name",
}
"""Names that Ray does not take as names of resources, and what to do instead."""


class RemoteConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Remote workers of a model, beside its local ones."""

    engine: Literal["ray"] = "ray"
    """What runs the remote workers."""
    address: Annotated[
        str,
        Meta(
            pattern=HOST_AND_PORT,
            extra={ALLOWED: "HOST:PORT of the head of a Ray cluster, such as ray-head:6379"},
        ),
    ]
    """The head of the cluster. The server's machine must be a node of the cluster."""
    workers: Annotated[int, Meta(ge=0)] = 1
    """How many there are; with `max_workers`, how many at first."""
    min_workers: Annotated[int, Meta(ge=0)] | None = None
    """How many there are when there is little to do; null = `workers`."""
    max_workers: Annotated[int, Meta(ge=1)] | None = None
    """How many there are when segments wait; null = `workers`."""
    num_cpus: Amount = 1.0
    """CPUs that each reserves on its node."""
    num_gpus: Amount = 0.0
    """GPUs that each reserves; a fraction lets several share one."""
    resources: Annotated[
        dict[str, Amount],
        Meta(extra={ALLOWED: 'names with an amount of each, such as {"accelerator": 1}'}),
    ] = {}
    """Other resources that each reserves, as the nodes were started with."""
    connect_seconds: Annotated[float, Meta(gt=0)] = 2.0
    """How long the head may take to answer."""
    fallback: Literal["local", "none"] = "local"
    """`local` = while the cluster cannot be reached, local workers stand in for the remote ones, on
    the cores that the model's local workers leave."""
    only: bool = False
    """True = the model has no local workers, such as one that needs a GPU."""
    shared: bool = False
    """True = all servers with the same settings use the same workers, and their segments share
    batches."""

    @property
    def least(self) -> int:
        """Remote workers when there is little to do."""
        return self.workers if self.min_workers is None else self.min_workers

    @property
    def most(self) -> int:
        """Remote workers when there is much to do."""
        return self.workers if self.max_workers is None else self.max_workers

    def conflict(self) -> str | None:
        """What is wrong with values that are right each, in one sentence; None when nothing is."""
        return self._problem_of_numbers() or self._problem_of_amounts()

    def _problem_of_numbers(self) -> str | None:
        if not self.least <= self.workers <= self.most:
            return (
                f"'min_workers' is {self.least}, 'workers' is {self.workers}, 'max_workers' is "
                f"{self.most}; allowed: numbers that do not fall in this order; the first and the "
                "last are as 'workers' if they are not given"
            )
        if not self.most:
            return "'workers' is 0; allowed: at least 1, or with 'max_workers' from 0 on"
        if self.only and not self.least:
            return "'only' is true, and there may be 0 remote workers; allowed: at least 1"
        return None

    def _problem_of_amounts(self) -> str | None:
        for name, instead in _RESERVED.items():
            if name in self.resources:
                return (
                    f"'resources' is {show(self.resources)}; Ray keeps the name '{name}' for "
                    f"itself: {instead}"
                )
        amounts = {"num_cpus": self.num_cpus, "num_gpus": self.num_gpus}
        amounts |= {f"resources.{show_name(name)}": n for name, n in self.resources.items()}
        for name, amount in amounts.items():
            if 0 < amount < SMALLEST_AMOUNT:
                return f"'{name}' is {amount:g}; allowed: 0, or at least {SMALLEST_AMOUNT:g}"
        if self.num_gpus > 1 and self.num_gpus % 1:  # as Ray 2.60: of all others, any part
            return f"'num_gpus' is {self.num_gpus:g}; allowed: 0 to 1, or a whole number above"
        return None

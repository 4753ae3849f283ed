"""Metrics by machine of a cluster. Their number is bounded: machines come and go for ever."""

from collections import Counter, OrderedDict
from typing import get_args

from streamer.inference.crew import Crew
from streamer.observe.monitor import AttemptOutcome, RemoteWorkers
from streamer.telemetry.metrics import Metrics

MAX_NODES = 256
"""Machines with series of their own, those of all models together; the oldest ones go."""


class NodeMetrics:
    """Counts by machine.

    Args:
        metrics: Has the series.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Model and node, the one that was seen last at the end."""

    def read(self, model: str, crew: Crew) -> None:
        """Take note of what the remote workers of a model do now."""
        states: Counter[RemoteWorkers] = Counter()
        alive: Counter[str] = Counter()
        for worker in crew.supervisors:
            if worker.alive:
                alive[worker.status.node] += 1
                states["alive"] += 1
            elif worker.status.unavailable:
                states["unavailable"] += 1
            else:
                states["waiting" if worker.status.state == "waiting" else "starting"] += 1
        for state in get_args(RemoteWorkers):
            self._metrics.remote_workers.labels(model, state).set(states[state])
        for node in alive:
            self._see(model, node)
        for name, node in self._known:
            if name == model:
                self._metrics.node_workers.labels(model, node).set(alive[node])

    def attempted(self, model: str, node: str, outcome: AttemptOutcome) -> None:
        """A worker on a node has worked on a job."""
        self._see(model, node)
        self._metrics.node_attempts.labels(model, node, outcome).inc()

    def _see(self, model: str, node: str) -> None:
        if (model, node) not in self._known:
            for outcome in get_args(AttemptOutcome):
                self._metrics.node_attempts.labels(model, node, outcome)
        self._known[model, node] = None
        self._known.move_to_end((model, node))
        if len(self._known) > MAX_NODES:
            gone = self._known.popitem(last=False)[0]
            self._metrics.node_workers.remove(*gone)
            for outcome in get_args(AttemptOutcome):
                self._metrics.node_attempts.remove(*gone, outcome)

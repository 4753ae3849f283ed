"""The picture of a segment that kills its worker: what becomes of it, and of the others.

The pool is the server's own, in simulated time, with worker processes that follow a script.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from streamer.observe.monitor import Monitor
from streamer.onnx.graph import Floats
from tools.docs.book_style import FAULT, LINE, NARROW_IN, PALE, SPEECH
from tools.docs.scripted_workers import PlannedBatch, ScriptedWorkers, WorkerSpan
from tools.harness.virtual_time import VirtualTimeLoop

PAIRS = Path(__file__).parents[2] / "docs/performance/pairs.json"
"""How long a worker takes to start is published there."""

WORKERS, BATCH, GATHER_MS = 2, 3, 20.0
SEGMENT_S, DEATH_S = 0.2, 0.1
"""Seconds that a segment takes; and the poisonous one until it kills its process."""

NAMES = "ABCDEFGH"
POISON = NAMES.index("B")
ARRIVALS_S = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.5)


class SegmentLife(NamedTuple):
    """A segment, from its arrival to its result or error; moments in seconds."""

    arrived_s: float
    settled_s: float
    answered: bool


class PlayedPool(NamedTuple):
    """What the workers did, and what became of the segments, from the first arrival on."""

    spans: list[WorkerSpan]
    segments: list[SegmentLife]


def start_s() -> float:
    """Seconds that a worker takes to start, with the smaller model: as published."""
    rows = json.loads(PAIRS.read_text())["rows"]
    (row,) = (row for row in rows if row["models"] == "moonshine-tiny-en")
    return float(row["start, s"])


def _plan(segments: Sequence[Floats]) -> PlannedBatch:
    """One segment after another takes its time; the poisonous one ends the process."""
    numbers = [int(samples[0]) for samples in segments]
    if POISON in numbers:
        return PlannedBatch(numbers.index(POISON) * SEGMENT_S + DEATH_S, None)
    return PlannedBatch(len(numbers) * SEGMENT_S, [{"segment": NAMES[n]} for n in numbers])


async def _play() -> PlayedPool:
    loop = asyncio.get_running_loop()
    made = ScriptedWorkers(_plan, start_s(), BATCH, GATHER_MS)
    lives: dict[int, SegmentLife] = {}
    async with made.pool(WORKERS, Monitor(loop.time)) as pool:
        zero_s = loop.time()

        async def send(number: int, arrives_s: float) -> None:
            await asyncio.sleep(arrives_s)
            audio = [np.full(1, number, np.float32)]
            result = pool.submit(audio, "final", session=number, channel=number).result
            await asyncio.wait((result,))
            answered = result.exception() is None
            lives[number] = SegmentLife(arrives_s, loop.time() - zero_s, answered)

        async with asyncio.TaskGroup() as tasks:
            for number, arrives_s in enumerate(ARRIVALS_S):
                tasks.create_task(send(number, arrives_s))
        await asyncio.sleep(made.load_s)  # so that each worker is there again
    spans = [
        span._replace(begun_s=span.begun_s - zero_s, ended_s=span.ended_s - zero_s)
        for span in made.spans
        if span.begun_s >= zero_s
    ]
    return PlayedPool(spans, [lives[number] for number in range(len(ARRIVALS_S))])


def played_pool() -> PlayedPool:
    """Play the segments to a pool."""
    logging.disable()  # the pool reports that its workers die
    try:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            return runner.run(_play())
    finally:
        logging.disable(logging.NOTSET)


def second_chance() -> Figure:
    """Two workers, and eight segments of which one is poisonous."""
    played = played_pool()
    end_s = max(life.settled_s for life in played.segments) + 0.12
    figure = Figure(figsize=(NARROW_IN, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(WORKERS, 4))
    for span in played.spans:
        _draw_work(above, span, end_s)
    above.set_yticks(range(WORKERS), [f"worker {number + 1}" for number in range(WORKERS)])
    above.set(ylim=(WORKERS - 0.5, -0.5), xlim=(0, end_s))
    for number, life in enumerate(played.segments):
        waited_s = life.settled_s - life.arrived_s
        below.barh(number, waited_s, 0.5, life.arrived_s, color=PALE)
        for span in played.spans:
            if number in span.firsts:
                spent_s = span.ended_s - span.begun_s
                below.barh(number, spent_s, 0.5, span.begun_s, color=_colour(span))
        text, colour = ("✓", LINE) if life.answered else ("✗ worker_lost", FAULT)
        below.text(life.settled_s + 0.02, number, text, va="center", color=colour, size=10)
    below.set_yticks(range(len(NAMES)), list(NAMES))
    below.set(ylim=(len(NAMES) - 0.5, -0.5), xlabel="seconds", ylabel="segments")
    below.legend(
        handles=[
            Patch(color=PALE, label="waits"),
            Patch(color=SPEECH, label="runs with others"),
            Patch(color=LINE, label="runs alone"),
            Patch(color=FAULT, label="its worker dies"),
        ],
        fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False,
    )  # fmt: skip
    for axes in (above, below):
        axes.tick_params(length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _colour(span: WorkerSpan) -> str:
    if span.died:
        return FAULT
    return LINE if len(span.firsts) == 1 else SPEECH


def _draw_work(axes: Axes, span: WorkerSpan, end_s: float) -> None:
    ended_s = min(span.ended_s, end_s)
    spent_s = ended_s - span.begun_s
    middle_s = span.begun_s + spent_s / 2
    if not span.firsts:
        axes.barh(
            span.worker, spent_s, 0.6, span.begun_s,
            facecolor="white", edgecolor="#8a93a5", hatch="////", linewidth=0,
        )  # fmt: skip
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        axes.text(middle_s, span.worker, "starts", ha="center", va="center", size=9, bbox=box)
        return
    colour = _colour(span)
    axes.barh(span.worker, spent_s, 0.6, span.begun_s, color=colour, edgecolor="white")
    text = " ".join(NAMES[int(first)] for first in span.firsts)
    ink = "black" if colour == SPEECH else "white"
    axes.text(middle_s, span.worker, text, ha="center", va="center", size=10, color=ink)
    if span.died:
        axes.text(ended_s, span.worker - 0.36, "✗", ha="center", va="bottom", color=FAULT, size=11)

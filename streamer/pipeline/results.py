"""One channel's results: inferred at once and out of order, delivered in order."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Literal

from streamer.inference.job import (
    Audio,
    InferenceError,
    InferenceTimedOut,
    Inferred,
    PendingInference,
    WorkerLost,
)
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Submission
from streamer.observe.monitor import Monitor, Outcome
from streamer.observe.timeline import Attempt, Settled, Timeline
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.early import EarlyFinal
from streamer.pipeline.owed import Owed
from streamer.protocol.messages import Event, Failed, Interim, Segment

_log = logging.getLogger(__name__)


class Delivery:
    """Sends a channel's `segment`, `interim` and `error` events in the order of the audio.

    Args:
        session: Takes turns with other sessions in the pool.
        channel: Number of the channel, from 0.
        pool: Where inference happens.
        post: Sends an event.
        on_shed: Called when an interim is given up because the workers are busy.
        max_pending: Results owed before `final` waits, and with it the client.
        early_finals: Whether inference may begin before a segment's end is sure.
        monitor: Told how long things take.
        trace: Told of each segment.
    """

    def __init__(
        self,
        session: Hashable,
        channel: int,
        pool: WorkerPool,
        post: Callable[[Event], None],
        on_shed: Callable[[], None],
        *,
        max_pending: int,
        early_finals: bool,
        monitor: Monitor,
        trace: StreamTrace,
    ) -> None:
        self._session = session
        self._channel = channel
        self._pool = pool
        self._post = post
        self._on_shed = on_shed
        self._queue: asyncio.Queue[Owed | None] = asyncio.Queue(max_pending)
        self._undelivered: set[Owed] = set()
        """And still wanted."""
        # A stateful model's segments run one after another: none can begin ahead of its turn.
        self._in_turn = pool.stateful
        self._state: bytes | None = None
        self._early: EarlyFinal | None = None
        if early_finals and not self._in_turn:
            self._early = EarlyFinal(session, self, pool, monitor)
        self._monitor = monitor
        self._model = pool.spec.name
        self._trace = trace
        self._timeline: Timeline | None = None
        """Of the segment that is open."""
        self.arrived_s = 0.0
        """When the audio came in that is being processed, on the monitor's clock."""
        self.segments = 0
        self.inference_seconds = 0.0
        self.interims = 0
        self.failures = 0

    def begin(self) -> None:
        """A segment has begun."""
        self._timeline = Timeline(self._monitor.clock())

    def lead_seconds(self, media_s: float) -> float:
        """How long before the end of a segment of this length `pause` is wanted."""
        return 0.0 if self._early is None else self._early.lead_seconds(media_s)

    def pause(self, audio: Audio, start_time: float, end_time: float) -> None:
        """Speech has paused: this will soon be a segment, unless it goes on."""
        if self._early is not None:
            timeline = self._open_timeline()
            self._early.begin(Owed(audio, start_time, end_time, final=True, timeline=timeline))

    def resume(self) -> None:
        """Speech goes on: what was begun in the pause is not the final."""
        if self._early is not None:
            self._early.drop()

    async def final(
        self, audio: Audio, start_time: float, end_time: float, *, flushed: bool = False
    ) -> None:
        """Infer a whole segment; waits while too many results are owed already."""
        owed = self._early.take(start_time, end_time) if self._early is not None else None
        timeline = self._open_timeline()
        self._timeline = None
        timeline.inactive_s = self._monitor.clock()
        timeline.arrived_s = self.arrived_s
        if owed is None:
            owed = Owed(audio, start_time, end_time, final=True, timeline=timeline)
            timeline.submitted_s = timeline.inactive_s
            if not self._in_turn:
                self._submit(owed)
        owed.flushed = flushed
        self._undelivered.add(owed)
        del audio  # the pool has it; there may be no room for long
        await self._queue.put(owed)

    def interim(self, audio: Audio, start_time: float, end_time: float) -> None:
        """Infer a segment that is still growing, unless too many results are owed already."""
        timeline = self._open_timeline()
        if self._queue.full():
            self._monitor.interim_shed(self._model, "backlog")
            timeline.interims_shed += 1
            self._on_shed()
            return
        owed = Owed(audio, start_time, end_time, final=False, timeline=timeline)
        if not self._in_turn:
            self._submit(owed)
        self._undelivered.add(owed)
        self._queue.put_nowait(owed)

    def drop_interims(self) -> None:
        """The segment has ended: whatever interims are still owed are not wanted any more."""
        if self._give_up([owed for owed in self._undelivered if not owed.final]):
            self._on_shed()

    async def end(self) -> None:
        """Say that nothing more will be owed; `run` returns once everything is delivered."""
        await self._queue.put(None)

    async def run(self) -> None:
        """Deliver until `end`, each result when all before it are delivered."""
        try:
            while (owed := await self._queue.get()) is not None:
                if not owed.dropped:
                    await self._settle(owed)
        finally:
            self.resume()
            self._give_up([*self._undelivered])

    def _submit(self, owed: Owed) -> Submission:
        submission = self._pool.submit(
            owed.audio,
            "final" if owed.final else "interim",
            session=self._session,
            channel=self,
            state=self._state,
        )
        owed.submitted(submission)
        return submission

    def _open_timeline(self) -> Timeline:
        if self._timeline is None:  # chunks have no beginning of their own
            self._timeline = Timeline(self._monitor.clock())
        return self._timeline

    async def _settle(self, owed: Owed) -> None:
        submission = self._submit(owed) if owed.submission is None else owed.submission
        result = submission.result
        await asyncio.wait((result,))
        self._undelivered.discard(owed)
        # An interim may have been given up after its result was there.
        if owed.dropped:
            return
        if result.cancelled():
            owed.timeline.interims_shed += 1
            self._on_shed()
        elif owed.final:
            self._deliver(owed, result)
        elif result.exception() is None:
            self._deliver_interim(owed, result.result())

    def _deliver(self, owed: Owed, result: PendingInference) -> None:
        """Send a final, or the error in its place."""
        error = result.exception()
        if error is None:
            inferred = result.result()
            self._state = inferred.state
            self.segments += 1
            self.inference_seconds += inferred.seconds
            self._post(
                Segment(
                    channel=self._channel,
                    output=inferred.output,
                    flushed=owed.flushed,
                    start_time=owed.start_time,
                    end_time=owed.end_time,
                )
            )
            self._settled(owed, "ok", "", inferred.attempts, inferred.output)
            return
        if not isinstance(error, InferenceError):
            raise error
        self.failures += 1
        self._state = None  # what the model remembers does not join on to what follows
        outcome = _outcome(error)
        self._post(
            Failed(
                code=outcome,
                message=str(error),
                fatal=False,
                channel=self._channel,
                start_time=owed.start_time,
                end_time=owed.end_time,
            )
        )
        _log.warning("%s: %s %s", outcome, error, error.where)
        self._settled(owed, outcome, str(error), error.attempts, {})

    def _deliver_interim(self, owed: Owed, inferred: Inferred) -> None:
        self._post(
            Interim(
                channel=self._channel,
                output=inferred.output,
                start_time=owed.start_time,
                end_time=owed.end_time,
            )
        )
        self.interims += 1
        now_s = self._monitor.clock()
        timeline = owed.timeline
        self._monitor.interim(self._model, None if timeline.interims else now_s - timeline.active_s)
        timeline.interims.append(now_s)

    def _settled(
        self,
        owed: Owed,
        outcome: Outcome,
        problem: str,
        attempts: tuple[Attempt, ...],
        output: Mapping[str, Any],
    ) -> None:
        timeline, now_s = owed.timeline, self._monitor.clock()
        self._monitor.final(
            self._model,
            outcome,
            latency_s=now_s - timeline.arrived_s,
            wait_s=now_s - timeline.inactive_s,
            trace_id=self._trace.trace_id,
        )
        self._trace.segment(
            Settled(
                channel=self._channel,
                start_time=owed.start_time,
                end_time=owed.end_time,
                flushed=owed.flushed,
                timeline=timeline,
                settled_s=now_s,
                outcome=outcome,
                problem=problem,
                attempts=attempts,
                output=output,
            )
        )

    def _give_up(self, oweds: Iterable[Owed]) -> bool:
        """These are not needed any more; returns whether any waited for a worker."""
        waited = False
        for owed in oweds:
            self._undelivered.discard(owed)
            waited = owed.drop() or waited
        return waited


def _outcome(
    error: InferenceError,
) -> Literal["inference_failed", "inference_timeout", "worker_lost"]:
    if isinstance(error, InferenceTimedOut):
        return "inference_timeout"
    return "worker_lost" if isinstance(error, WorkerLost) else "inference_failed"

"""Makes the events of one channel's results, and reports them to monitor, trace and log."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from streamer.inference.job import InferenceError, InferenceTimedOut, Inferred, WorkerLost
from streamer.inference.timed_words import FIELD as WORDS
from streamer.inference.timed_words import placed
from streamer.observe.monitor import SegmentOutcome
from streamer.observe.timeline import Attempt, Settled
from streamer.pipeline.account import Account
from streamer.pipeline.context import StreamContext
from streamer.pipeline.pending import PendingResult
from streamer.protocol.events import ErrorEvent, Interim, Segment, WarningEvent

INTERIM_SHED = WarningEvent(
    code="interim_shed",
    message="interim results come less often: the server is busy, or the audio comes faster than "
    "it is spoken; finals are not affected",
)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ChannelTotals:
    """What has been sent on a channel since its stream started.

    Attributes:
        segments: Number of `segment` events.
        interims: Number of `interim` events.
        failures: Number of segments without a result.
        inference_seconds: What the workers took for the segments.
    """

    segments: int = 0
    interims: int = 0
    failures: int = 0
    inference_seconds: float = 0.0


class ResultSender:
    """Sends a channel's `segment`, `interim` and `error` events.

    Args:
        context: Of the stream.
        channel: Number of the channel, from 0.
        account: Of the channel; each segment is entered when it is sent.
    """

    def __init__(self, context: StreamContext, channel: int, account: Account) -> None:
        self.totals = ChannelTotals()
        self._account = account
        self._channel = channel
        self._outbox = context.outbox
        self._monitor = context.monitor
        self._trace = context.trace

    def send_segment(self, pending: PendingResult, inferred: Inferred) -> None:
        """Send the result of a whole segment."""
        self.totals.segments += 1
        self._account.settle(pending.samples, "dropped" if inferred.dropped else "transcribed")
        self.totals.inference_seconds += inferred.seconds
        output = _placed(pending, inferred.output)
        self._outbox.post(
            Segment(
                channel=self._channel,
                output=output,
                flushed=pending.ended_by == "flush",
                ended_by=pending.ended_by,
                start_time=pending.start_time,
                end_time=pending.end_time,
            )
        )
        self._report(pending, "ok", "", inferred.attempts, output)

    def send_failure(self, pending: PendingResult, error: InferenceError) -> None:
        """Send the error in the place of a whole segment's result."""
        self.totals.failures += 1
        self._account.settle(pending.samples, "failed")
        outcome = _outcome(error)
        self._outbox.post(
            ErrorEvent(
                code=outcome,
                message=str(error),
                fatal=False,
                channel=self._channel,
                start_time=pending.start_time,
                end_time=pending.end_time,
            )
        )
        where = f" ({error.where})" if error.where else ""
        _log.warning("%s: %s%s", outcome, error, where)
        self._report(pending, outcome, str(error), error.attempts, {})

    def send_interim(
        self, pending: PendingResult, inferred: Inferred, *, eager: bool = False
    ) -> None:
        """Send the result of a segment that still grows; `eager`: unless the silence holds."""
        make_output = _placed if eager else _without_words
        self._outbox.post(
            Interim(
                channel=self._channel,
                output=make_output(pending, inferred.output),
                eager=eager,
                start_time=pending.start_time,
                end_time=pending.end_time,
            )
        )
        self.totals.interims += 1
        now_s = self._monitor.clock()
        timeline = pending.timeline
        model = pending.settings.model
        self._monitor.interim(model, None if timeline.interims else now_s - timeline.active_s)
        timeline.interims.append(now_s)

    def warn_interim_shed(self) -> None:
        """Send a warning, once for each socket, that interims are dropped."""
        self._outbox.warn_once(INTERIM_SHED)

    def _report(
        self,
        pending: PendingResult,
        outcome: SegmentOutcome,
        problem: str,
        attempts: tuple[Attempt, ...],
        output: Mapping[str, Any],
    ) -> None:
        timeline, now_s = pending.timeline, self._monitor.clock()
        self._monitor.final(
            pending.settings.model,
            outcome,
            latency_s=now_s - timeline.arrived_s,
            wait_s=now_s - timeline.inactive_s,
            trace_id=self._trace.trace_id,
        )
        self._trace.segment(
            Settled(
                channel=self._channel,
                start_time=pending.start_time,
                end_time=pending.end_time,
                flushed=pending.ended_by == "flush",
                timeline=timeline,
                settled_s=now_s,
                outcome=outcome,
                problem=problem,
                attempts=attempts,
                output=output,
            )
        )


def _placed(pending: PendingResult, output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The output with its words where they are in the stream, if they are requested."""
    if not pending.settings.request.words:
        return _without_words(pending, output)
    words = output.get(WORDS, ())
    return {**output, WORDS: placed(words, pending.start_time, pending.end_time)}


def _without_words(pending: PendingResult, output: Mapping[str, Any]) -> Mapping[str, Any]:
    """The output of a model that may return words that were not asked for.

    Those of a model without times of words are fields as all others.
    """
    if WORDS not in output or not pending.settings.pool.returns_words:
        return output
    return {name: value for name, value in output.items() if name != WORDS}


def _outcome(
    error: InferenceError,
) -> Literal["inference_failed", "inference_timeout", "worker_lost"]:
    if isinstance(error, InferenceTimedOut):
        return "inference_timeout"
    return "worker_lost" if isinstance(error, WorkerLost) else "inference_failed"

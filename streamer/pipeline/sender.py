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
from streamer.protocol.messages import ErrorEvent, Interim, Segment, WarningEvent

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
        words: Whether the client gets the words of segments.
    """

    def __init__(
        self, context: StreamContext, channel: int, account: Account, *, words: bool = False
    ) -> None:
        self.totals = ChannelTotals()
        self._account = account
        self._channel = channel
        self._outbox = context.outbox
        self._monitor = context.monitor
        self._trace = context.trace
        self._model = context.pool.spec.name
        self._words = words
        self._words_are_timed = context.pool.returns_words
        """Whether `words` in the model's output has the shape of `Model.infer_request`."""

    def send_segment(self, pending: PendingResult, inferred: Inferred) -> None:
        """Send the result of a whole segment."""
        self.totals.segments += 1
        self._account.settle(pending.samples, "dropped" if inferred.dropped else "transcribed")
        self.totals.inference_seconds += inferred.seconds
        output = self._without_words(inferred.output)
        if self._words:
            words = inferred.output.get(WORDS, ())
            output = {**output, WORDS: placed(words, pending.start_time, pending.end_time)}
        self._outbox.post(
            Segment(
                channel=self._channel,
                output=output,
                flushed=pending.flushed,
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
        _log.warning("%s: %s %s", outcome, error, error.where)
        self._report(pending, outcome, str(error), error.attempts, {})

    def send_interim(self, pending: PendingResult, inferred: Inferred) -> None:
        """Send the result of a segment that still grows."""
        self._outbox.post(
            Interim(
                channel=self._channel,
                output=self._without_words(inferred.output),
                start_time=pending.start_time,
                end_time=pending.end_time,
            )
        )
        self.totals.interims += 1
        now_s = self._monitor.clock()
        timeline = pending.timeline
        self._monitor.interim(self._model, None if timeline.interims else now_s - timeline.active_s)
        timeline.interims.append(now_s)

    def _without_words(self, output: Mapping[str, Any]) -> Mapping[str, Any]:
        """The output of a model that may return words that were not asked for."""
        if not self._words_are_timed or WORDS not in output:
            return output
        return {name: value for name, value in output.items() if name != WORDS}

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
            self._model,
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
                flushed=pending.flushed,
                timeline=timeline,
                settled_s=now_s,
                outcome=outcome,
                problem=problem,
                attempts=attempts,
                output=output,
            )
        )


def _outcome(
    error: InferenceError,
) -> Literal["inference_failed", "inference_timeout", "worker_lost"]:
    if isinstance(error, InferenceTimedOut):
        return "inference_timeout"
    return "worker_lost" if isinstance(error, WorkerLost) else "inference_failed"

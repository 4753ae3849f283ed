"""One channel's events: results are inferred at once, and sent in the order of the audio."""

import asyncio

from streamer.inference.job import InferenceError, Inferred, SegmentAudio
from streamer.observe.timeline import Timeline
from streamer.pipeline.account import Account
from streamer.pipeline.context import StreamContext
from streamer.pipeline.early_final import EarlyFinal
from streamer.pipeline.interims import ChannelInterims
from streamer.pipeline.pending import PendingResult, ResultSettings
from streamer.pipeline.segment_requests import final_request, interim_request
from streamer.pipeline.sender import ResultSender
from streamer.pipeline.submitter import SegmentSubmitter
from streamer.pipeline.unsent import UnsentResults
from streamer.protocol.actions import Cleared
from streamer.protocol.events import Active, Flushed, Inactive, Resumed, SegmentEnd

AS_EARLY_AS_CAN_BE_S = 60.0
"""Seconds; longer than any `min_silence_ms`. So a pause is reported when its padding is over."""


class ChannelResults:
    """Submits a channel's segments to the pool, and sends their results in order.

    `active` and `inactive` wait for no result, except after a flush: they wait for its `flushed`,
    which waits for all results before it.

    Args:
        context: Of the stream.
        channel: Number of the channel, from 0.
        settings: What the first segments are inferred with.

    Attributes:
        arrived_s: When the audio that is being processed arrived, on the monitor's clock.
        totals: What has been sent.
        account: Where the channel's audio went.
    """

    def __init__(self, context: StreamContext, channel: int, settings: ResultSettings) -> None:
        inference = context.config.inference
        self._early_finals = inference.early_finals
        self.configure(settings)
        self._monitor = context.monitor
        self._channel = channel
        self.account = Account()
        self._sender = ResultSender(context, channel, self.account)
        self.totals = self._sender.totals
        self._unsent = UnsentResults(
            inference.max_pending_segments, context.outbox, self._monitor.clock
        )
        self._submitter = SegmentSubmitter(context.session_id)
        self._early = EarlyFinal(self._submitter.submit, self._monitor)
        self._interims = ChannelInterims(
            self._unsent, self._early, self._submitter, self._sender, self._monitor
        )
        self._timeline: Timeline | None = None
        """Of the open segment."""
        self._active_time = 0.0
        """When its speech began, in seconds from the start of the stream; 0 without a VAD."""
        self.arrived_s = 0.0

    def configure(self, settings: ResultSettings) -> None:
        """Use these settings for the segments that begin from now on; none may be open."""
        self._settings = settings
        self._sequential = settings.pool.stateful
        """A stateful model's segments run one after another: each needs the state of the last."""
        self._begins_early = self._early_finals and not self._sequential

    @property
    def idle_since_s(self) -> float | None:
        """Since when no result is pending, on the monitor's clock; None = one is."""
        return self._unsent.idle_since_s

    def post(self, event: Active | Inactive | Resumed) -> None:
        """Send an event that needs no result: at once, or after the `flushed` before it."""
        self._unsent.post(event)

    async def flushed(self, time: float) -> None:
        """Answer a flush once all results so far are sent.

        Waits while `inference.max_pending_segments` results and answers are pending.

        Args:
            time: Of the flush, in seconds from the start of the stream.
        """
        await self._unsent.answer_in_turn(Flushed(time=time, channel=self._channel))

    async def cleared(self, time: float) -> None:
        """Answer a clear, as a flush; argument as for `flushed`."""
        await self._unsent.answer_in_turn(Cleared(time=time, channel=self._channel))

    def segment_started(self, time: float) -> None:
        """Speech has begun, and with it a segment.

        Args:
            time: Of the speech, in seconds from the start of the stream.
        """
        self._timeline = Timeline(self._monitor.clock())
        self._active_time = time

    def lead_seconds(self, media_s: float) -> float:
        """How many seconds before the end of a segment of `media_s` `speech_paused` is due."""
        if self._begins_early and self._settings.interims_in_pauses:
            return AS_EARLY_AS_CAN_BE_S
        return self._settings.pool.queue.lead_seconds(media_s) if self._begins_early else 0.0

    def speech_paused(self, audio: SegmentAudio, start_time: float, end_time: float) -> bool:
        """Speech has paused: this will be the segment, unless speech resumes.

        Returns:
            Whether its result is an interim, too.
        """
        if not self._begins_early:
            return False
        shown = self._settings.interims_in_pauses and self._has_room_for_interim()
        timeline = self._open_timeline()
        pending = self._final(audio, start_time, end_time, timeline)
        self._early.begin(pending)
        if shown:
            self._interims.add(pending)
        return shown

    def speech_resumed(self, time: float) -> None:
        """Speech goes on: an early final is not the final.

        Args:
            time: From which it does, in seconds from the start of the stream.
        """
        pending = self._early.current
        if pending is None:
            return
        if pending.early == "shown":
            self._early.end()
            self._early.count(pending, "shown")
            if pending.settings.eager:
                self.post(Resumed(time=time, channel=self._channel))
        elif pending in self._unsent:
            if not self._early.become_interim():
                self._interims.withdraw(pending)
            self._interims.discard_superseded()
        else:
            self._withdraw_early()

    def segment_ending(self, start_time: float, end_time: float) -> None:
        """The open segment has ended: what is said of it from now on is its `inactive`, and so on.

        Args:
            start_time: Of the segment, in seconds from the start of the stream.
            end_time: In the same way.
        """
        early = self._early.current
        if early is not None and not early.covers(start_time, end_time):
            self.speech_resumed(end_time)
        self.withdraw_interims()

    def segment_discarded(self) -> None:
        """The open segment has ended, and gets no result."""
        self._withdraw_early()
        self.withdraw_interims()
        self._timeline = None
        self._submitter.segment_over()

    async def submit_final(
        self,
        audio: SegmentAudio,
        start_time: float,
        end_time: float,
        *,
        samples: int = 0,
        ended_by: SegmentEnd = "silence",
    ) -> None:
        """Infer a whole segment; waits while `inference.max_pending_segments` results are pending.

        Args:
            audio: Of the segment.
            start_time: In seconds from the start of the stream.
            end_time: In the same way.
            samples: Length of the segment, in samples at the client's rate.
            ended_by: What has ended the segment.
        """
        pending = self._early.confirm(start_time, end_time)
        self._withdraw_early()
        timeline = self._open_timeline()
        self._timeline = None
        timeline.inactive_s = self._monitor.clock()
        timeline.arrived_s = self.arrived_s
        if pending is None:
            pending = self._final(audio, start_time, end_time, timeline)
            timeline.submitted_s = timeline.inactive_s
            if not self._sequential:
                self._submitter.submit(pending, "final")
        self._submitter.segment_over()
        pending.samples, pending.ended_by = samples, ended_by
        self.account.pending += samples
        if pending in self._unsent:  # it waits for its turn as an interim
            return
        del audio  # the pool has it; there may be no room for long
        await self._unsent.add(pending)

    def submit_interim(self, audio: SegmentAudio, start_time: float, end_time: float) -> None:
        """Infer a segment that still grows, unless too many results are pending."""
        if not self._has_room_for_interim():
            return
        timeline = self._open_timeline()
        request = interim_request(self._active_time - start_time)
        pending = PendingResult(
            audio,
            start_time,
            end_time,
            final=False,
            timeline=timeline,
            request=request,
            settings=self._settings,
        )
        self._interims.submit(pending)

    def withdraw_interims(self) -> None:
        """The segment has ended: its pending interims are not needed any more."""
        self._interims.withdraw_all()

    def _has_room_for_interim(self) -> bool:
        """Whether not too many results are pending for another interim; else it is given up."""
        has_room = self._interims.have_room(self._settings)
        if not has_room:
            self._open_timeline().interims_shed += 1
        return has_room

    async def no_more(self) -> None:
        """The audio is over; `run` returns once all pending results are sent."""
        await self._unsent.no_more()

    async def run(self) -> None:
        """Send each result when all before it are sent, until `no_more`."""
        try:
            while (pending := await self._unsent.next_result()) is not None:
                await self._send_when_done(pending)
        finally:
            self._withdraw_early()
            for pending in self._unsent.results:
                self._interims.withdraw(pending)

    def _final(
        self, audio: SegmentAudio, start_time: float, end_time: float, timeline: Timeline
    ) -> PendingResult:
        request = final_request(self._settings.request, self._active_time - start_time)
        return PendingResult(
            audio,
            start_time,
            end_time,
            final=True,
            timeline=timeline,
            request=request,
            settings=self._settings,
        )

    def _open_timeline(self) -> Timeline:
        if self._timeline is None:  # without a VAD, `segment_started` is not called
            self._timeline = Timeline(self._monitor.clock())
        return self._timeline

    async def _send_when_done(self, pending: PendingResult) -> None:
        submission = pending.submission
        if submission is None:
            submission = self._submitter.submit(pending, "final" if pending.final else "interim")
        result = submission.result
        await asyncio.wait((result,))
        self._unsent.done(pending)
        # An interim may have been withdrawn after its result was there.
        if pending.withdrawn:
            return
        if result.cancelled():
            self._interims.note_shed(pending)
            return
        error = result.exception()
        if not pending.final:
            if error is None:
                self._send_interim(pending, result.result())
            elif pending.early is not None and self._early.current is not pending:
                self._early.count(pending, "wasted")
        elif error is None:
            inferred = result.result()
            self._submitter.remember(pending, inferred.state)
            self._sender.send_segment(pending, inferred)
        elif isinstance(error, InferenceError):
            self._submitter.forget()
            self._sender.send_failure(pending, error)
        else:
            raise error

    def _send_interim(self, pending: PendingResult, inferred: Inferred) -> None:
        in_pause = self._early.current is pending
        eager = in_pause and pending.settings.eager
        self._sender.send_interim(pending, inferred, eager=eager)
        if in_pause:
            pending.early = "shown"  # it may be the final, too
        elif pending.early is not None:
            self._early.count(pending, "shown")

    def _withdraw_early(self) -> None:
        if (pending := self._early.end()) is not None:
            self._interims.withdraw(pending)

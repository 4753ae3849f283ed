"""Results that are withdrawn, at moments that a test through a socket cannot choose."""

import asyncio
import weakref
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.config.models import InferenceConfig
from streamer.config.schema import Config
from streamer.inference import ipc
from streamer.inference.drafts import SegmentDraft
from streamer.inference.job import Counters, InferenceFailed, Inferred, JobKind, PendingInference
from streamer.inference.pool import WorkerPool
from streamer.inference.submission import Demotion
from streamer.model import SegmentRequest
from streamer.models.registry import ModelSpec
from streamer.observe.monitor import Monitor, ShedReason
from streamer.observe.tracer import StreamTrace
from streamer.pipeline.context import StreamContext
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.pending import ResultSettings
from streamer.pipeline.results import ChannelResults
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.events import (
    Active,
    Event,
    Flushed,
    Inactive,
    Interim,
    Resumed,
    Segment,
    WarningEvent,
)
from streamer.vad.engine import VadEngine


class Submitted:
    """A job that has been begun."""

    def __init__(self) -> None:
        self.result: PendingInference = asyncio.get_running_loop().create_future()

    def confirm(self) -> bool:
        return False

    def withdraw(self) -> bool:
        self.result.cancel()
        return False

    def withdraw_waiting(self) -> bool:
        return False

    def demote(self) -> Demotion:
        return "begun"


class Pool:
    """The test is the worker: it settles the results when it likes."""

    stateful = False
    returns_words = True
    uses_key_terms = True
    uses_drafts = True
    spec = ModelSpec("test:Model", "test")

    def __init__(self) -> None:
        self.results: list[PendingInference] = []
        self.requests: list[SegmentRequest] = []
        self.drafts: list[SegmentDraft | None] = []
        self.counters = Counters()
        self.queue = self

    def submit(
        self,
        _audio: object,
        _kind: JobKind,
        *,
        request: SegmentRequest,
        draft: SegmentDraft | None,
        **_of: object,
    ) -> Submitted:
        submitted = Submitted()
        self.requests.append(request)
        self.drafts.append(draft)
        self.results.append(submitted.result)
        return submitted

    def lead_seconds(self, media_s: float) -> float:
        return media_s / 10


AUDIO = (np.zeros(1, np.float32),)
ANSWER = Inferred({}, None, 0.0)


class Posted(Outbox):
    """Keeps what is posted in a list."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__(Monitor())
        self._events = events

    def post(self, item: Outgoing) -> None:
        assert not isinstance(item, Close | Reply)
        self._events.append(cast("Event", item))


def results_of(
    pool: Pool | WorkerPool,
    events: list[Event],
    max_pending: int,
    *,
    early_finals: bool = False,
    interims: bool = False,
    eager: bool = False,
    monitor: Monitor | None = None,
    request: SegmentRequest = ipc.DEFAULT_REQUEST,
) -> ChannelResults:
    context = StreamContext(
        session_id="session",
        route="segmented",
        segmentation="speech",
        config=Config(
            inference=InferenceConfig(max_pending_segments=max_pending, early_finals=early_finals)
        ),
        vad=cast("VadEngine", None),
        monitor=monitor or Monitor(),
        pool=cast("WorkerPool", pool),
        sample_rate=16_000,
        outbox=Posted(events),
        trace=StreamTrace("0" * 32),
    )
    settings = ResultSettings(cast("WorkerPool", pool), request, interims or eager, eager)
    return ChannelResults(context, 0, settings)


async def test_an_interim_that_was_ready_when_its_segment_ended_is_not_sent() -> None:
    """It waited behind the result of the segment before."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.submit_final(AUDIO, 0, 1)
        results.submit_interim(AUDIO, 2, 3)
        first, interim = pool.results
        interim.set_result(ANSWER)
        results.withdraw_interims()
        first.set_result(ANSWER)
        results.submit_interim(AUDIO, 4, 5)
        pool.results[-1].set_result(ANSWER)
        await results.no_more()
    sent = [(type(event), cast("Any", event).start_time) for event in events]
    assert sent == [(Segment, 0), (Interim, 4)]


async def test_an_interim_whose_result_comes_as_its_segment_ends_is_not_sent() -> None:
    """It was the next to send."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.submit_interim(AUDIO, 0, 1)
        await asyncio.sleep(0)
        pool.results[0].set_result(ANSWER)
        results.withdraw_interims()
        await results.no_more()
    assert not events


@pytest.mark.parametrize(("end_time", "used"), [(1, 1), (2, 0)])
async def test_what_was_begun_early_is_the_final_only_if_it_is_the_same(
    end_time: float, used: int
) -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.speech_paused(AUDIO, 0, 1)
        await results.submit_final(AUDIO, 0, end_time)
        assert (pool.counters.early_used, pool.counters.early_wasted) == (used, 1 - used)
        assert pool.results[0].cancelled() == (not used)
        pool.results[-1].set_result(ANSWER)
        await results.no_more()
    assert [cast("Any", event).end_time for event in events] == [end_time]


async def test_what_was_begun_is_given_up_when_speech_goes_on() -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True)
    results.speech_paused(AUDIO, 0, 1)
    results.speech_resumed(1.25)
    assert pool.results[0].cancelled()
    assert (pool.counters.early_used, pool.counters.early_wasted) == (0, 1)
    assert pool.counters.early_wasted_seconds == 0  # the worker has not answered


async def test_what_was_spent_in_vain_is_counted() -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True)
    results.speech_paused(AUDIO, 0, 1)
    pool.results[0].set_result(Inferred({}, None, 0.25))
    results.speech_resumed(1.25)
    assert (pool.counters.early_wasted, pool.counters.early_wasted_seconds) == (1, 0.25)
    assert not events


def paused_results(pool: Pool, events: list[Event], *, eager: bool = True) -> ChannelResults:
    """Of a channel whose speech has paused."""
    results = results_of(pool, events, 8, early_finals=True, interims=True, eager=eager)
    assert results.lead_seconds(1.0) >= 60
    results.segment_started(0.0)
    assert results.speech_paused(AUDIO, 0.0, 1.0)
    return results


async def turns() -> None:
    """Let every other task go on for as long as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


def interim(end_time: float, *, eager: bool = False) -> Interim:
    return Interim(start_time=0.0, end_time=end_time, channel=0, output={}, eager=eager)


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("resumes", [False, True])
async def test_the_result_of_a_pause_is_an_interim(resumes: bool, eager: bool) -> None:
    pool, events = Pool(), list[Event]()
    results = paused_results(pool, events, eager=eager)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        pool.results[0].set_result(ANSWER)
        await turns()
        assert events == [interim(1.0, eager=eager)]
        if resumes:
            results.speech_resumed(1.25)
            results.speech_resumed(1.25)  # says it once
            assert events[1:] == [Resumed(time=1.25, channel=0)] * eager
            assert results.speech_paused(AUDIO, 0.0, 2.0)
            pool.results[1].set_result(ANSWER)
            results.segment_ending(0.0, 2.0)
            await results.submit_final(AUDIO, 0.0, 2.0)  # before the interim can be sent
        else:
            results.segment_ending(0.0, 1.0)
            await results.submit_final(AUDIO, 0.0, 1.0)
        await results.no_more()
    assert [type(event) for event in events[1:]] == [*[Resumed] * (resumes and eager), Segment]
    assert len(pool.results) == 1 + resumes, "a final is inferred twice"
    assert pool.counters.early_shown == resumes
    assert (pool.counters.early_used, pool.counters.early_wasted) == (1, 0)


async def test_a_result_that_comes_after_the_pause_is_an_interim_like_others() -> None:
    """A worker had begun it; it is newer than what the client has."""
    pool, events = Pool(), list[Event]()
    results = paused_results(pool, events)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await turns()
        results.speech_resumed(1.25)
        pool.results[0].set_result(ANSWER)
        await turns()
        assert events == [interim(1.0)]
        results.segment_ending(0.0, 2.0)
        await results.submit_final(AUDIO, 0.0, 2.0)
        pool.results[1].set_result(ANSWER)
        await results.no_more()
    assert [type(event) for event in events] == [Interim, Segment]
    assert (pool.counters.early_shown, pool.counters.early_wasted) == (1, 0)


@pytest.mark.parametrize("interim_waits", [False, True])
@pytest.mark.parametrize("ends", [False, True])
async def test_a_pause_whose_result_nobody_has_begun_leaves_an_interim(
    interim_waits: bool, ends: bool
) -> None:
    """One, which has the turn of an older one if that waits, too; unless the segment ends."""
    pool, events = UnstaffedPool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True, interims=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        if interim_waits:
            results.submit_interim(audio(1), 0, 1)
            await turns()
        other = pool.submit(audio(9), "interim", session="other", channel="other")
        assert results.speech_paused(audio(2), 0, 2)
        await turns()
        results.speech_resumed(2.25)
        assert pool.waiting == (0, 0, 2)
        if not ends:
            first, second = [await pool.run_next() for _ in range(2)]
            assert (first, second) == ((2, 9) if interim_waits else (9, 2))
            await turns()
        results.segment_ending(0, 3)
        assert pool.waiting == (0, 0, 1 if ends else 0)
        await results.submit_final(audio(3), 0, 3)
        assert await pool.run_next() == 3
        await results.no_more()
    assert other.result.done() != ends
    warned = [WarningEvent] * (interim_waits or ends)
    assert [type(event) for event in events] == [*warned, *[Interim] * (not ends), Segment]
    assert pool.counters.interims_shed == interim_waits + ends
    counters = pool.counters
    assert (counters.early_used, counters.early_shown, counters.early_wasted) == (0, 0, 0)


async def test_an_interim_waits_on_until_that_of_a_pause_is_there() -> None:
    """Speech may resume before a worker is free, and then there would be none."""
    pool, events, monitor = UnstaffedPool(), list[Event](), Counting()
    results = results_of(pool, events, 8, early_finals=True, interims=True, monitor=monitor)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.submit_interim(audio(1), 0, 1)
        await turns()
        assert results.speech_paused(audio(2), 0, 2)
        assert pool.waiting == (0, 1, 1)
        assert await pool.run_next() == 2
        await turns()
        assert pool.waiting == (0, 0, 0)
        results.segment_ending(0, 2)
        await results.submit_final(audio(2), 0, 2)
        await results.no_more()
    assert [type(event) for event in events] == [WarningEvent, Interim, Segment]
    assert events[1] == Interim(start_time=0, end_time=2, channel=0, output={"samples": 2})


@pytest.mark.parametrize("of_a_pause", [False, True])
async def test_an_interim_does_not_wait_for_one_of_less_audio(of_a_pause: bool) -> None:
    """The older interim still runs in another worker, and the client does not need it any more."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True, interims=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.submit_interim(AUDIO, 0.0, 1.0)
        await turns()
        if of_a_pause:
            assert results.speech_paused(AUDIO, 0.0, 2.0)
        else:
            results.submit_interim(AUDIO, 0.0, 2.0)
        pool.results[1].set_result(ANSWER)
        await turns()
        assert events == [interim(2.0)]
        assert pool.results[0].cancelled()
        results.segment_ending(0.0, 3.0)
        await results.no_more()


async def test_a_failed_interim_overtakes_nothing() -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.submit_interim(AUDIO, 0.0, 1.0)
        results.submit_interim(AUDIO, 0.0, 2.0)
        pool.results[1].set_exception(InferenceFailed("no"))
        await turns()
        pool.results[0].set_result(ANSWER)
        await turns()
        assert events == [interim(1.0)]
        await results.no_more()


async def test_an_interim_of_a_pause_waits_for_the_results_before_it() -> None:
    """And is the final if the segment has ended by then."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True, eager=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.submit_final(AUDIO, 0.0, 1.0)
        assert results.speech_paused(AUDIO, 1.0, 2.0)
        pool.results[1].set_result(ANSWER)
        await turns()
        assert not events
        results.segment_ending(1.0, 2.0)
        results.post(Inactive(time=1.75, channel=0))
        await results.submit_final(AUDIO, 1.0, 2.0)
        pool.results[0].set_result(ANSWER)
        await results.no_more()
    assert [type(event) for event in events] == [Inactive, Segment, Segment]


async def test_too_many_pending_results_leave_no_room_for_the_interim_of_a_pause() -> None:
    """Its inference begins all the same: it may be the final."""
    pool, events, monitor = Pool(), list[Event](), Counting()
    results = results_of(pool, events, 1, early_finals=True, eager=True, monitor=monitor)
    await results.submit_final(AUDIO, 0.0, 1.0)
    assert not results.speech_paused(AUDIO, 1.0, 2.0)
    assert monitor.shed == ["backlog"]
    assert len(pool.results) == 2
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.segment_ending(1.0, 2.0)
        await results.submit_final(AUDIO, 1.0, 2.0)
        for result in pool.results:
            result.set_result(ANSWER)
        await results.no_more()
    assert [type(event) for event in events] == [WarningEvent, Segment, Segment]


async def test_an_eager_interim_is_taken_back_when_its_segment_is_another() -> None:
    """Its length has ended it somewhere else."""
    pool, events = Pool(), list[Event]()
    results = paused_results(pool, events)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        pool.results[0].set_result(ANSWER)
        await turns()
        results.segment_ending(0.0, 0.75)
        results.post(Inactive(time=0.75, channel=0))
        await results.submit_final(AUDIO, 0.0, 0.75)
        pool.results[1].set_result(ANSWER)
        await results.no_more()
    assert events[:2] == [interim(1.0, eager=True), Resumed(time=0.75, channel=0)]
    assert [type(event) for event in events[2:]] == [Inactive, Segment]


@pytest.mark.parametrize("shown", [False, True])
async def test_what_is_discarded_in_a_pause_is_over(shown: bool) -> None:
    pool, events = Pool(), list[Event]()
    results = paused_results(pool, events)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        if shown:
            pool.results[0].set_result(ANSWER)
        await turns()
        results.segment_discarded()
        await results.cleared(1.5)
        results.segment_started(2.0)
        assert results.speech_paused(AUDIO, 2.0, 3.0)
        pool.results[1].set_result(ANSWER)
        await turns()
        await results.no_more()
    assert [getattr(event, "end_time", None) for event in events] == [*[1.0] * shown, None, 3.0]
    assert (pool.counters.early_shown, pool.counters.early_wasted) == (2 if shown else 1, not shown)


async def test_a_pause_has_no_interim_unless_interims_are_wanted() -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=True)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        assert not results.speech_paused(AUDIO, 0.0, 1.0)
        pool.results[0].set_result(ANSWER)
        await turns()
        assert not events
        await results.submit_final(AUDIO, 0.0, 1.0)
        await results.no_more()
    assert [type(event) for event in events] == [Segment]


@pytest.mark.parametrize("eager", [False, True])
async def test_words_are_sent_with_a_segment_and_what_may_be_one(eager: bool) -> None:
    pool, events = Pool(), list[Event]()
    results = results_of(
        pool, events, 8, early_finals=True, interims=True, eager=eager, request=REQUEST
    )
    word = {"text": "yes", "start_time": 0.5, "end_time": 0.75, "confidence": 0.5}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        assert results.speech_paused(AUDIO, 10, 12)
        pool.results[0].set_result(Inferred({"text": "yes", "words": [word]}, None, 0.0))
        await turns()
        results.segment_ending(10, 12)
        await results.submit_final(AUDIO, 10, 12)
        await results.no_more()
    first, segment = (cast("Segment", event).output for event in events)
    assert first == (segment if eager else {"text": "yes"})


@pytest.mark.parametrize(("early", "lead_s"), [(True, 0.25), (False, 0.0)])
def test_a_pause_is_told_as_long_before_the_end_as_the_model_takes(
    early: bool, lead_s: float
) -> None:
    pool = Pool()
    assert results_of(pool, [], 8, early_finals=early).lead_seconds(2.5) == lead_s


@pytest.mark.parametrize("early", [True, False])
async def test_audio_is_let_go_of_when_the_pool_has_it(early: bool) -> None:
    """The pool is the test, and holds none: nothing may be left of a segment while it waits."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=early)
    samples = np.zeros(1, np.float32)
    held = weakref.ref(samples)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.segment_started(0.0)
        if early:
            results.speech_paused((samples,), 0, 1)
        await results.submit_final((samples,), 0, 1)
        del samples
        assert held() is None
        pool.results[0].set_result(ANSWER)
        await results.no_more()
    assert len(events) == 1


async def test_nor_while_there_is_no_room_for_what_is_owed() -> None:
    pool = Pool()
    results = results_of(pool, [], 1)
    samples = np.zeros(1, np.float32)
    held = weakref.ref(samples)
    async with asyncio.TaskGroup() as tasks:
        await results.submit_final(AUDIO, 0, 1)
        waiting = tasks.create_task(results.submit_final((samples,), 1, 2))
        await asyncio.sleep(0)
        del samples
        assert len(pool.results) == 2
        assert held() is None
        waiting.cancel()


async def test_whoever_goes_away_gives_up_all_that_is_owed() -> None:
    pool = Pool()
    results = results_of(pool, [], 3)
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(results.run())
        for _ in range(4):
            await results.submit_final(AUDIO, 0, 1)
        waiting = tasks.create_task(results.submit_final(AUDIO, 0, 1))
        await asyncio.sleep(0)
        pool.results[1].set_exception(InferenceFailed("too late to tell"))
        waiting.cancel()
        running.cancel()
    assert [result.cancelled() for result in pool.results] == [True, False, True, True, True]
    pool.results.clear()
    assert not complaints


async def test_all_inferences_of_a_segment_share_a_draft_and_no_others_do() -> None:
    pool = Pool()
    results = results_of(pool, [], 20, early_finals=True)
    for end in (3, 6):
        results.submit_interim(AUDIO, end - 3, end - 2)
        results.speech_paused(AUDIO, end - 3, end - 1)
        results.speech_resumed(end)
        await results.submit_final(AUDIO, end - 3, end)
    results.submit_interim(AUDIO, 6, 7)
    results.segment_discarded()
    results.submit_interim(AUDIO, 7, 8)
    found = [id(draft) for draft in pool.drafts]
    assert found == [found[0]] * 3 + [found[3]] * 3 + [found[6], found[7]]
    assert len({*found}) == 4
    assert None not in pool.drafts


async def test_a_channel_keeps_no_draft_when_its_segment_has_ended() -> None:
    """And none at all where there is a final alone, or where the model makes none."""
    pool = Pool()
    results = results_of(pool, [], 20)
    results.submit_interim(AUDIO, 0, 1)
    await results.submit_final(AUDIO, 0, 2)
    kept = weakref.ref(cast("SegmentDraft", pool.drafts[0]))
    pool.drafts.clear()
    assert kept() is None
    await results.submit_final(AUDIO, 2, 3)
    pool.uses_drafts = False
    results.submit_interim(AUDIO, 3, 4)
    await results.submit_final(AUDIO, 3, 5)
    assert pool.drafts == [None, None, None]


class UnstaffedPool(WorkerPool):
    """A pool whose only worker is the test."""

    def __init__(self, *, stateful: bool = False) -> None:
        super().__init__(ModelSpec("t:M", "test"), InferenceConfig(workers=1))
        self._supervisors = []
        self._warm.set_result(ipc.Ready(16_000, 1, 0.0, stateful))

    async def run_next(self) -> float:
        """The worker runs the next job; returns how many samples it has."""
        (job,) = await self.queue.next_batch("worker", asyncio.Future())
        self.queue.finished("worker")
        job.settle(ipc.Done({"samples": job.length}, 0.1))
        return job.length


def audio(samples: int) -> tuple[NDArray[np.float32]]:
    return (np.zeros(samples, np.float32),)


async def settled(condition: Callable[[], object]) -> bool:
    """Whether it becomes true without anything else happening."""
    for _ in range(20):
        await asyncio.sleep(0)
    return bool(condition())


@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("max_pending", [1, 2, 8])
async def test_interims_of_a_segment_that_has_ended_hold_up_nothing(
    stateful: bool, max_pending: int
) -> None:
    """Its final has room at once, while a worker is busy with the segment before."""
    pool, events = UnstaffedPool(stateful=stateful), list[Event]()
    results = results_of(pool, events, max_pending)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.submit_final(audio(1), 0, 1)
        assert await settled(lambda: sum(pool.waiting) == 1)
        for samples in range(2, 30):
            results.submit_interim(audio(samples), 2, 2 + samples)
        results.withdraw_interims()
        ended = tasks.create_task(results.submit_final(audio(40), 2, 40))
        assert await settled(ended.done)
        assert [await pool.run_next() for _ in range(2)] == [1, 40]
        await results.no_more()
    assert [cast("Any", e).end_time for e in events if isinstance(e, Segment)] == [1, 40]


async def test_interims_that_are_withdrawn_make_room_for_who_waits_for_it() -> None:
    pool = UnstaffedPool()
    results = results_of(pool, [], 2)
    async with asyncio.TaskGroup() as tasks:
        results.submit_interim(audio(1), 0, 1)
        await results.submit_final(audio(2), 0, 2)
        waiting = tasks.create_task(results.submit_final(audio(3), 3, 4))
        assert not await settled(waiting.done)
        results.withdraw_interims()
        assert await settled(waiting.done)


@pytest.mark.parametrize("stateful", [False, True])
async def test_a_superseded_interim_takes_no_place(stateful: bool) -> None:
    """Whether the pool holds it, or it waits here because the model has a state."""
    pool, events, monitor = UnstaffedPool(stateful=stateful), list[Event](), Counting()
    results = results_of(pool, events, 3, monitor=monitor)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.submit_final(audio(1), 0, 1)
        assert await settled(lambda: sum(pool.waiting) == 1)
        for samples in range(2, 30):
            results.submit_interim(audio(samples), 2, 2 + samples)
        assert "backlog" not in monitor.shed
        assert [await pool.run_next() for _ in range(2)] == [1, 29]
        assert await settled(lambda: Interim in map(type, events))
        await results.no_more()
    assert [type(event) for event in events] == [WarningEvent, Segment, Interim]


class Counting(Monitor):
    """Keeps the reasons why interims were given up."""

    def __init__(self) -> None:
        super().__init__()
        self.shed: list[ShedReason] = []

    def interim_shed(self, model: str, reason: ShedReason) -> None:
        self.shed.append(reason)


async def test_a_flush_is_answered_after_the_results_before_it() -> None:
    """And what needs no result waits for the answer, but not for results after it."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.flushed(0)
        await results.submit_final(AUDIO, 0, 1)
        await results.flushed(1)
        results.post(Active(time=1, channel=0))
        await results.submit_final(AUDIO, 1, 2)
        results.post(Active(time=2, channel=0))
        await results.flushed(2)
        results.post(Active(time=3, channel=0))
        await asyncio.sleep(0)
        assert [type(event) for event in events] == [Flushed]
        pool.results[1].set_result(ANSWER)
        pool.results[0].set_exception(InferenceFailed("no"))
        await results.no_more()
    assert [type(event).__name__ for event in events] == [
        *("Flushed", "ErrorEvent", "Flushed", "Active", "Active", "Segment", "Flushed", "Active"),
    ]
    results.post(Active(time=4, channel=0))
    assert events[-1] == Active(time=4, channel=0)


async def test_answers_that_wait_are_bounded_as_results_are() -> None:
    pool = Pool()
    results = results_of(pool, [], 3)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(results.run())
        await results.submit_final(AUDIO, 0, 1)
        await asyncio.sleep(0)  # `run` waits for the result
        for _ in range(3):
            await results.flushed(1)
        waiting = tasks.create_task(results.flushed(1))
        await asyncio.sleep(0)
        assert not waiting.done()
        pool.results[0].set_result(ANSWER)
        await waiting
        running.cancel()


REQUEST = SegmentRequest(words=True, key_terms=("Jean Valjean",))


@pytest.mark.parametrize("early", [True, False])
async def test_words_are_wanted_of_finals_and_not_of_interims(early: bool) -> None:
    """And the model is told where in its audio speech was found."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, early_finals=early, request=REQUEST)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.segment_started(10.25)
        results.submit_interim(AUDIO, 10, 11)
        if early:
            results.speech_paused(AUDIO, 10, 12)
        await results.submit_final(AUDIO, 10, 12)
        for result in pool.results:
            result.set_result(ANSWER)
        await results.no_more()
    interim, final = pool.requests
    assert interim == SegmentRequest(interim=True, speech_start_s=0.25)
    assert final == SegmentRequest(True, REQUEST.key_terms, speech_start_s=0.25)


async def test_words_have_the_times_of_the_stream() -> None:
    """The early final was asked for words, and so is what its segment turns out to be."""
    pool, events = Pool(), list[Event]()
    results = results_of(pool, events, 8, request=REQUEST)
    word = {"text": "yes", "start_time": 0.5, "end_time": 0.75, "confidence": 0.5}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        await results.submit_final(AUDIO, 10, 12)
        await results.submit_final(AUDIO, 20, 22)
        pool.results[0].set_result(Inferred({"text": "yes", "words": [word]}, None, 0.0))
        pool.results[1].set_result(ANSWER)
        await results.no_more()
    outputs = [cast("Segment", event).output for event in events]
    there = word | {"start_time": 10.5, "end_time": 10.75}
    assert outputs == [{"text": "yes", "words": [there]}, {"words": []}]


@pytest.mark.parametrize("knows", [True, False])
async def test_words_that_nobody_asked_for(knows: bool) -> None:
    """A field of the same name is sent if the model does not say that its words have times."""
    pool, events = Pool(), list[Event]()
    pool.returns_words = knows
    results = results_of(pool, events, 8)
    answer = Inferred({"text": "yes", "words": ["yes"]}, None, 0.0)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(results.run())
        results.submit_interim(AUDIO, 0, 1)
        pool.results[0].set_result(answer)
        await results.submit_final(AUDIO, 0, 2)
        pool.results[1].set_result(answer)
        await results.no_more()
    for event in events:
        assert cast("Segment", event).output.get("words") == (None if knows else ["yes"])
    assert len(events) == 2

"""What the pictures of the book show, as their captions say it."""

from math import hypot
from statistics import fmean

import pytest

pytest.importorskip("matplotlib")

from tools.bench import reference
from tools.docs import decoder_layer, rounds_picture, second_chance, second_filter, session_tasks
from tools.docs.latency_buckets import CHOICES, from_buckets, latencies_s
from tools.docs.model_work import TOKENS_PER_SECOND, parts
from tools.docs.stream_messages import played_stream
from tools.docs.stream_trace import TracedSpan, traced_stream

WAYS = ("closed", "lost", "defect")
"""In which a session ends."""


def test_only_the_poisonous_segment_fails_and_after_the_first_death_three_run_alone() -> None:
    played = second_chance.played_pool()
    failed = [n for n, life in enumerate(played.segments) if not life.answered]
    assert failed == [second_chance.POISON]
    batches = [[int(first) for first in span.firsts] for span in played.spans if span.firsts]
    alone = [batch[0] for batch in batches if len(batch) == 1]
    assert sorted(alone) == [0, 1, 2]
    begun_s = {span.firsts: span.begun_s for span in played.spans}
    assert max(begun_s[float(number),] for number in alone) < begun_s[6.0, 7.0]
    assert sum(span.died for span in played.spans) == 2


@pytest.mark.parametrize(
    ("number", "cause"),
    [(0, "Reader.run"), (1, "Session._watch_connection"), (2, "Executor.run")],
    ids=WAYS,
)
def test_one_task_ends_by_itself_and_the_others_are_cancelled(number: int, cause: str) -> None:
    root, *others = session_tasks.tasks_of(session_tasks.ENDS[number])
    assert (root.name, root.outcome) == ("Session.run", "returns")
    assert [task.name for task in others if task.outcome != "cancelled"] == [cause]


@pytest.mark.parametrize("end", session_tasks.ENDS, ids=WAYS)
def test_no_owner_ends_before_what_it_owns(end: session_tasks.SessionEnd) -> None:
    tasks = session_tasks.tasks_of(end)
    assert len(tasks) == 8
    for task in tasks:
        assert task.turn
        if task.owner is not None:
            assert task.turn < task.owner.turn


@pytest.mark.parametrize("name", list(CHOICES))
def test_an_estimate_is_exact_at_a_bound(name: str) -> None:
    values, bounds = latencies_s(), CHOICES[name]
    for bound in bounds:
        below = sum(value < bound for value in values)
        if 0 < below < len(values):
            assert from_buckets(values, bounds, below / len(values)) == pytest.approx(bound)


def test_each_answer_comes_behind_what_it_depends_on() -> None:
    _, messages = played_stream(lambda _: {"text": "…"})
    names = [each.fields["request"] if each.by_client else each.fields["type"] for each in messages]
    assert names == [
        *("start", "started", "active", "inactive", "segment", "active"),
        *("flush", "inactive", "segment", "flushed", "active"),
        *("stop", "inactive", "segment", "stopped"),
    ]


def test_an_event_is_of_audio_that_was_sent_before() -> None:
    samples, messages = played_stream(lambda _: {"text": "…"})
    reached_s = 0.0
    for at_s, _, fields in messages:
        assert fields.get("time", fields.get("end_time", 0.0)) <= at_s + 1e-9
        if fields.get("type") == "segment":
            assert reached_s <= fields["start_time"]
            reached_s = fields["end_time"]
    assert reached_s == len(samples) / 16_000


def test_a_trace_has_each_span_in_its_parent_and_the_attempt_of_the_worker_that_died() -> None:
    spans = traced_stream()
    assert [(span.name, span.depth, span.failed) for span in spans] == [
        *(("session", 0, False), ("stream", 1, False)),
        *(("segment", 2, False), ("queue", 3, False), ("inference", 3, False)),
        *(("segment", 2, False), ("queue", 3, False)),
        *(("inference", 3, True), ("inference", 3, False)),
    ]
    around: dict[int, TracedSpan] = {}
    for span in spans:
        around[span.depth] = span
        if span.depth:
            outer = around[span.depth - 1]
            assert outer.begun_s <= span.begun_s <= span.ended_s <= outer.ended_s
    first, *_, again = (span for span in spans if span.name == "inference")
    assert first.begun_s < (spans[2].inactive_s or 0.0)
    assert again.ended_s == spans[5].ended_s


def test_pairs_are_as_the_text_has_them() -> None:
    first, second = rounds_picture.published_rounds().values()
    assert len(first) == 20
    assert all(one >= other for one, other in zip(first, second, strict=True))
    assert sum(min(first) < other for other in second) > 10
    differences = [one - other for one, other in zip(first, second, strict=True)]
    apart = hypot(reference.standard_error(first) or 0, reference.standard_error(second) or 0)
    assert (reference.standard_error(differences) or 0) < apart
    early = differences[:6]
    assert fmean(differences) > fmean(early) + 3 * (reference.standard_error(early) or 0)


def test_only_a_filter_that_begins_at_a_shared_sample_goes_on_as_if_never_ended() -> None:
    without_past, misplaced, as_here = second_filter.errors_db().values()
    assert max(as_here) <= -110
    assert max(without_past[:16]) > -60
    assert max(without_past[int(0.006 * second_filter.TO_HZ) :]) <= -110
    assert max(misplaced[-16:]) > -40


def test_the_layer_that_is_drawn_has_the_weights_of_the_decoder() -> None:
    shape = decoder_layer.decoder_shape()
    drawn = sum(weights for block in shape.blocks for _, weights in block.steps)
    (layers,) = (part for part in parts() if part.name == "decoder's layers")
    assert shape.layers * drawn * TOKENS_PER_SECOND == layers.products

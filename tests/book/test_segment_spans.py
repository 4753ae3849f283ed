"""Check of the exercise `segment_spans`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("segment_spans")


def made(*arguments: object) -> list[tuple[object, ...]]:
    return [tuple(span) for span in answer.spans(*arguments)]


def test_a_segment_with_a_result() -> None:
    assert made(1.0, 3.0, 4.0, [answer.Attempt(3.25, 3.75, "ok")]) == [
        ("segment", None, 1.0, 4.0, False),
        ("queue", "segment", 3.0, 3.25, False),
        ("inference", "segment", 3.25, 3.75, False),
    ]


def test_a_worker_that_died_leaves_a_span() -> None:
    attempts = [answer.Attempt(3.0, 3.5, "died"), answer.Attempt(4.0, 4.5, "ok")]
    assert made(1.0, 3.0, 5.0, attempts) == [
        ("segment", None, 1.0, 5.0, False),
        ("queue", "segment", 3.0, 3.0, False),
        ("inference", "segment", 3.0, 3.5, True),
        ("queue", "segment", 3.5, 4.0, False),
        ("inference", "segment", 4.0, 4.5, False),
    ]


def test_a_segment_that_failed() -> None:
    attempts = [answer.Attempt(2.0, 3.0, "died"), answer.Attempt(3.0, 4.0, "died")]
    assert [failed for *_, failed in made(1.0, 2.0, 4.0, attempts)] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_a_segment_that_no_worker_began() -> None:
    assert made(1.0, 2.0, 4.0, []) == [
        ("segment", None, 1.0, 4.0, True),
        ("queue", "segment", 2.0, 4.0, False),
    ]


moments = st.integers(0, 20).map(float)
outcomes = st.sampled_from(["ok", "raised", "died", "timeout"])


@given(
    st.tuples(moments, moments, moments).map(sorted),
    st.lists(st.tuples(moments, moments, outcomes), max_size=2),
)
def test_no_span_is_turned_round_or_reaches_out(
    times: list[float], raw: list[tuple[float, float, str]]
) -> None:
    attempts = [answer.Attempt(min(a, b), max(a, b), outcome) for a, b, outcome in raw]
    segment, *others = answer.spans(*times, attempts)
    assert (segment.begun_s, segment.ended_s) == (times[0], times[2])
    before_s = segment.begun_s
    for span in others:
        assert before_s <= span.begun_s <= span.ended_s <= segment.ended_s
        before_s = span.begun_s

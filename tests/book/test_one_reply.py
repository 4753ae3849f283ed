"""Check of the exercise `one_reply`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("one_reply")


def test_audio_is_answered_at_once() -> None:
    replies = answer.Replies()
    assert replies.asked("audio") == [("partial", "")]
    replies.growing("try")
    assert replies.asked("audio") == [("partial", "try")]
    replies.ended("try again")
    replies.ended("fail again")
    assert replies.asked("audio") == [("text", "try again")]
    assert replies.asked("audio") == [("text", "fail again")]
    assert replies.asked("audio") == [("partial", "")]


def test_an_empty_result_is_none() -> None:
    replies = answer.Replies()
    replies.growing("hm")
    replies.ended("")
    assert replies.asked("audio") == [("partial", "")]


def test_a_reset_waits_for_all_results() -> None:
    replies = answer.Replies()
    replies.ended("one")
    assert replies.asked("reset") == []
    assert replies.asked("audio") == []
    replies.ended("two")
    assert replies.settled() == [("text", "one two"), ("partial", "")]
    assert replies.asked("reset") == []
    assert replies.asked("reset") == []
    assert replies.settled() == [("text", "")]
    replies.ended("three")
    assert replies.asked("audio") == []
    assert replies.settled() == [("text", "three"), ("partial", "")]
    assert replies.settled() == []


@given(st.lists(st.sampled_from(["audio", "reset", "growing", "ended", "settled"]), max_size=40))
def test_no_request_is_left_and_no_result_is_lost(steps: list[str]) -> None:
    replies = answer.Replies()
    given_results: list[str] = []
    requests, resets = 0, 0
    sent: list[tuple[str, str]] = []
    for number, step in enumerate(steps):
        if step == "growing":
            replies.growing(f"partial{number}")
        elif step == "ended":
            given_results.append(f"result{number}")
            replies.ended(given_results[-1])
        elif step == "settled":
            resets -= resets > 0
            sent += replies.settled()
        else:
            requests += 1
            resets += step == "reset"
            sent += replies.asked(step)
        assert len(sent) <= requests
    for _ in range(resets):
        sent += replies.settled()
    assert len(sent) == requests
    replies.asked("reset")
    sent += replies.settled()
    got = " ".join(text for kind, text in sent if kind == "text").split()
    assert got == given_results

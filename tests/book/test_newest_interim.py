"""Check of the exercise `newest_interim`."""

from tests.book.exercise import load

answer = load("newest_interim")


def test_interims_come_in_order() -> None:
    interims = answer.Interims()
    assert [interims.add(channel, channel.upper()) for channel in "abc"] == [None, None, None]
    assert [interims.next() for _ in range(4)] == ["A", "B", "C", None]


def test_a_newer_one_takes_the_place() -> None:
    interims = answer.Interims()
    interims.add("a", "a1")
    interims.add("b", "b1")
    assert interims.add("a", "a2") == "a1"
    assert [interims.next() for _ in range(3)] == ["a2", "b1", None]


def test_after_it_was_taken_the_next_one_is_at_the_end() -> None:
    interims = answer.Interims()
    interims.add("a", "a1")
    interims.add("b", "b1")
    assert interims.next() == "a1"
    assert interims.add("a", "a2") is None
    assert [interims.next() for _ in range(2)] == ["b1", "a2"]


def test_the_end_of_a_segment_drops_its_interim() -> None:
    interims = answer.Interims()
    interims.add("a", "a1")
    interims.add("b", "b1")
    assert interims.ended("a") == "a1"
    assert interims.ended("a") is None
    interims.add("a", "a2")
    assert [interims.next() for _ in range(3)] == ["b1", "a2", None]


def test_a_busy_pool_serves_channels_that_never_stop() -> None:
    """Twenty channels renew their interims twice before a worker is free."""
    interims = answer.Interims()
    served: list[object] = []
    for number in range(200):
        for channel in range(number % 2, 20, 2):
            interims.add(channel, channel)
        if number % 2:
            served.append(interims.next())
    assert set(served) == set(range(20))
    most = max(served.count(channel) for channel in range(20))
    assert most - min(served.count(channel) for channel in range(20)) <= 1

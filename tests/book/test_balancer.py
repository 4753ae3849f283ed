"""Check of the exercise `balancer`."""

from hypothesis import given
from hypothesis import strategies as st

from tests.book.exercise import load

answer = load("balancer")


def always(server: str) -> bool:
    return True


def test_the_one_with_the_fewest() -> None:
    balancer = answer.Balancer(["a", "b", "c"])
    assert [balancer.connect(always) for _ in range(4)] == ["a", "b", "c", "a"]
    balancer.closed("c")
    assert balancer.connect(always) == "c"
    balancer.closed("b")
    balancer.closed("a")
    assert [balancer.connect(always) for _ in range(2)] == ["b", "a"]


def test_a_server_that_drains_keeps_its_connections() -> None:
    balancer = answer.Balancer(["a", "b"])
    for _ in range(4):
        balancer.connect(always)
    balancer.report("a", ready=False)
    assert [balancer.connect(always) for _ in range(2)] == ["b", "b"]
    balancer.closed("a")
    balancer.report("a", ready=True)
    assert [balancer.connect(always) for _ in range(4)] == ["a", "a", "a", "a"]


def test_a_refusal_is_not_the_end() -> None:
    balancer = answer.Balancer(["a", "b", "c"])
    asked = []

    def full(server: str) -> bool:
        asked.append(server)
        return False

    assert balancer.connect(full) is None
    assert asked == ["a", "b", "c"]
    assert balancer.connect(lambda server: server == "b") == "b"
    assert balancer.connect(always) == "a"
    balancer.report("a", ready=False)
    balancer.report("b", ready=False)
    balancer.report("c", ready=False)
    asked.clear()
    assert balancer.connect(full) is None
    assert asked == []


@given(st.lists(st.integers(0, 9), max_size=60))
def test_counts_stay_right(steps: list[int]) -> None:
    names = ["a", "b", "c"]
    balancer = answer.Balancer(names)
    counts, ready, full = dict.fromkeys(names, 0), set(names), {"c"}
    for step in steps:
        name = names[step % 3]
        if step < 3 and counts[name]:
            balancer.closed(name)
            counts[name] -= 1
        elif step < 6:
            ready ^= {name}
            balancer.report(name, ready=name in ready)
        else:
            chosen = balancer.connect(lambda server: server not in full)
            allowed = [each for each in names if each in ready - full]
            assert chosen == min(allowed, key=counts.__getitem__, default=None)
            if chosen is not None:
                counts[chosen] += 1

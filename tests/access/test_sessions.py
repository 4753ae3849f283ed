"""Who finds room."""

import pytest

from streamer.access.sessions import Places, counting_key
from streamer.config.limits import LimitsConfig
from streamer.inference.model_pools import Backlog


def admission(**limits: float) -> Places:
    return Places(LimitsConfig(**limits))  # type: ignore[arg-type]


def test_places_are_counted_for_all_and_for_each_address() -> None:
    places = admission(max_sessions=3, max_sessions_per_ip=2)
    for address in ("a", "a", "b"):
        assert places.refusal(address, Backlog(0.0)) is None
        places.enter(address)
    refused = places.refusal("c", Backlog(0.0))
    assert refused is not None
    assert refused.message == "all places are taken: limits.max_sessions is 3"
    places.leave("b")
    refused = places.refusal("a", Backlog(0.0))
    assert refused is not None
    assert refused.message.endswith("limits.max_sessions_per_ip is 2")
    assert places.refusal("c", Backlog(0.0)) is None
    places.leave("a")
    assert places.refusal("a", Backlog(0.0)) is None
    assert places.sessions == 1


def test_a_long_queue_says_how_long() -> None:
    places = admission(max_queue_seconds=2)
    assert places.refusal("a", Backlog(2.0)) is None
    refusal = places.refusal("a", Backlog(7.4))
    assert refusal is not None
    assert refusal.retry_after_seconds == 7
    assert "would wait for 7.4 s; limits.max_queue_seconds is 2" in refusal.message


def test_a_queue_that_no_worker_serves_says_what_is_waited_for() -> None:
    places = admission(max_queue_seconds=2)
    waits = "waiting for remote workers; the log has the reason"
    assert places.refusal("a", Backlog(1.0, waits)) is None
    refusal = places.refusal("a", Backlog(700.0, waits))
    assert refusal is not None
    assert refusal.message == f"the server is not ready: {waits}"
    assert refusal.retry_after_seconds < 60, "the cluster may be back at any time"


def test_nothing_is_limited_by_zero() -> None:
    places = admission(max_sessions=0, max_sessions_per_ip=0, max_queue_seconds=0)
    for _ in range(1_000):
        places.enter("a")
    assert places.refusal("a", Backlog(1e9)) is None


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("", ""),
        (None, ""),
        ("a name", "a name"),
    ],
)
def test_an_ipv6_customer_is_one_address(host: str | None, address: str) -> None:
    assert counting_key(host) == address

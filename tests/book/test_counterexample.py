"""Check of the exercise `counterexample`."""

from typing import Any

from streamer.protocol.inputs import INPUTS
from streamer.protocol.state import TABLE, State
from tests.book.exercise import load

answer = load("counterexample")

Facts = frozenset[str]
NAMES = [one.__name__ for one in INPUTS]


def ours() -> dict[str, dict[str, Any]]:
    """The server's own table, with the names of what makes its actions."""
    return {
        state.name: {
            given.__name__: (after.name, tuple(maker.__name__ for maker in makers))
            for given, (after, makers) in row.items()
        }
        for state, row in TABLE.items()
    }


def watch(facts: Facts, action: str) -> Facts | None:
    """A stream is begun before it is fed, and finished before the next; the end is the last."""
    if "over" in facts:
        return None
    match action:
        case "_begin" | "_begin_again":
            return None if "open" in facts else facts | {"open"}
        case "_feed" | "_end_segments" | "_finish" if "open" not in facts:
            return None
        case "_finish":
            return facts - {"open"}
        case "_close":
            return None if "open" in facts else facts | {"over"}
        case "_drop_work" | "_cut_off":
            return facts | {"over"}
    return facts


def search(table: dict[str, dict[str, Any]]) -> list[str] | None:
    found: list[str] | None = answer.shortest_counterexample(table, NAMES, "IDLE", watch)
    return found


def test_no_sequence_breaks_the_servers_table() -> None:
    assert {state.name for state in State} == set(ours())
    assert search(ours()) is None


def test_a_stream_that_is_not_finished_before_the_next() -> None:
    table = ours()
    table["STREAMING"]["StartRequested"] = ("STREAMING", ("_begin",))
    assert search(table) == ["StartRequested", "StartRequested"]


def test_a_drain_that_forgets_the_stream() -> None:
    table = ours()
    table["DRAINING"]["StopRequested"] = ("CLOSING", ("_close",))
    assert search(table) == ["StartRequested", "DrainStarted", "StopRequested"]


def test_audio_after_a_format_that_was_refused() -> None:
    table = ours()
    table["STREAMING"]["BadFormat"] = ("STREAMING", ("_finish", "_send_error"))
    assert search(table) == ["StartRequested", "BadFormat", "StartRequested"]


def test_a_fault_that_only_a_loop_reaches() -> None:
    """Three times round: the facts count."""
    table = {"A": {"go": ("B", ("tick",))}, "B": {"go": ("A", ("tick",))}}

    def count(facts: Facts, _: str) -> Facts | None:
        return None if len(facts) == 5 else facts | {f"tick {len(facts)}"}

    assert answer.shortest_counterexample(table, ["go"], "A", count) == ["go"] * 6


def test_the_first_in_order_of_the_shortest() -> None:
    bad = ("A", ("bad",))
    table = {"A": {"x": ("A", ()), "y": bad, "z": bad}}
    assert answer.shortest_counterexample(table, ["x", "z", "y"], "A", lambda *_: None) == ["z"]

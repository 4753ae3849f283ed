"""Check of the exercise `complete_table`."""

from streamer.protocol.inputs import INPUTS
from streamer.protocol.state import TABLE, State
from tests.book.exercise import load

answer = load("complete_table")

STATES, INPUT_NAMES = [s.name for s in State], [i.__name__ for i in INPUTS]
OURS = {
    state.name: {
        given.__name__: (after.name, tuple(maker.__name__ for maker in makers))
        for given, (after, makers) in row.items()
    }
    for state, row in TABLE.items()
}
DOOR = {
    "OPEN": {"close": ("CLOSED", ("shut",)), "lock": ("OPEN", ())},
    "CLOSED": {"open": ("OPEN", ("swing",)), "lock": ("LOCKED", ())},
    "LOCKED": {"unlock": ("CLOSED", ()), "kick": ("BROKEN", ("crash",))},
    "WALL": {"open": ("WALL", ())},
}
STEPS = ("open", "close", "lock", "unlock", "kick")


def test_missing_cells_are_found_in_order() -> None:
    states = ("OPEN", "CLOSED", "WINDOW")
    found = answer.missing_cells(DOOR, states, ("open", "close", "lock"))
    assert found == [
        ("OPEN", "open"), ("CLOSED", "close"),
        ("WINDOW", "open"), ("WINDOW", "close"), ("WINDOW", "lock"),
    ]  # fmt: skip


def test_states_that_nobody_has_declared() -> None:
    assert answer.unknown_states(DOOR, ("OPEN", "CLOSED", "LOCKED", "WALL")) == ["BROKEN"]
    assert answer.unknown_states(DOOR, ("OPEN",)) == ["BROKEN", "CLOSED", "LOCKED", "WALL"]


def test_states_without_a_way() -> None:
    states = ("WALL", "OPEN", "CLOSED", "LOCKED", "BROKEN")
    assert answer.unreachable(DOOR, "OPEN", states) == ["WALL"]
    assert answer.unreachable(DOOR, "BROKEN", states) == ["WALL", "OPEN", "CLOSED", "LOCKED"]


def test_the_servers_own_table_is_complete() -> None:
    assert answer.missing_cells(OURS, STATES, INPUT_NAMES) == []
    assert answer.unknown_states(OURS, STATES) == []
    assert answer.unreachable(OURS, "IDLE", STATES) == []


def test_a_cell_that_is_taken_out_of_it_is_missed() -> None:
    for state in STATES:
        row = {given: cell for given, cell in OURS[state].items() if given != "StopRequested"}
        less = {**OURS, state: row}
        assert answer.missing_cells(less, STATES, INPUT_NAMES) == [(state, "StopRequested")]

"""Look at every pair, and follow every cell."""

from collections.abc import Mapping, Sequence

Table = Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]


def missing_cells(
    table: Table, states: Sequence[str], inputs: Sequence[str]
) -> list[tuple[str, str]]:
    """Try all pairs."""
    return [
        (state, given) for state in states for given in inputs if given not in table.get(state, {})
    ]


def unknown_states(table: Table, states: Sequence[str]) -> list[str]:
    """Collect all next states."""
    after = {next_state for row in table.values() for next_state, _ in row.values()}
    return sorted(after - set(states))


def unreachable(table: Table, first: str, states: Sequence[str]) -> list[str]:
    """Go on from each state that is new."""
    reached, waiting = {first}, [first]
    while waiting:
        for next_state, _ in table.get(waiting.pop(), {}).values():
            if next_state not in reached:
                reached.add(next_state)
                waiting.append(next_state)
    return [state for state in states if state not in reached]

"""Find out whether a table of a protocol is complete."""

from collections.abc import Mapping, Sequence

Table = Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]
"""For each state, and in it for each input: the next state, and the names of the actions."""


def missing_cells(
    table: Table, states: Sequence[str], inputs: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the pairs of state and input that have no cell, in the order of states and inputs.

    A state may have no row at all.
    """
    raise NotImplementedError


def unknown_states(table: Table, states: Sequence[str]) -> list[str]:
    """Return the next states that are not in `states`, each once, sorted."""
    raise NotImplementedError


def unreachable(table: Table, first: str, states: Sequence[str]) -> list[str]:
    """Return the states that no sequence of inputs leads to, from `first`, in their order."""
    raise NotImplementedError

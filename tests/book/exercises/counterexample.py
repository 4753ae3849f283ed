"""Search all sequences of inputs for one that breaks a rule."""

from collections.abc import Callable, Mapping, Sequence

Table = Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]
"""For each state, and in it for each input: the next state, and the names of the actions. There is
a cell for each pair."""

Watch = Callable[[frozenset[str], str], frozenset[str] | None]
"""Gets what is true now (a set of facts) and an action; returns what is true after it. None = the
action breaks a rule."""


def shortest_counterexample(
    table: Table, inputs: Sequence[str], first: str, watch: Watch
) -> list[str] | None:
    """Return the shortest sequence of inputs at whose end an action breaks a rule.

    At first the state is `first`, and no fact is true. Of several shortest sequences, return the
    one that comes first in the order of `inputs`. None = no sequence of any length breaks a rule.

    The search must end, also for tables with loops: there are only so many pairs of a state and a
    set of facts.
    """
    raise NotImplementedError

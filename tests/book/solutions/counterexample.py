"""A search in breadth over pairs of state and facts."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

Table = Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]
Watch = Callable[[frozenset[str], str], frozenset[str] | None]


def shortest_counterexample(
    table: Table, inputs: Sequence[str], first: str, watch: Watch
) -> list[str] | None:
    """Visit each pair once, by the shortest way to it."""
    nothing: frozenset[str] = frozenset()
    seen = {(first, nothing)}
    waiting: deque[tuple[str, frozenset[str], list[str]]] = deque([(first, nothing, [])])
    while waiting:
        state, facts, way = waiting.popleft()
        for given in inputs:
            after, actions = table[state][given]
            known = facts
            for action in actions:
                watched = watch(known, action)
                if watched is None:
                    return [*way, given]
                known = watched
            if (after, known) not in seen:
                seen.add((after, known))
                waiting.append((after, known, [*way, given]))
    return None

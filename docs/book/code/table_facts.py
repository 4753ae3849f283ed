"""Facts about the table that no single test of a cell shows."""

from collections import Counter, deque

from streamer.protocol.inputs import INPUTS
from streamer.protocol.state import TABLE, State

cells = {(state, given): TABLE[state][given] for state in State for given in INPUTS}
silent = sum(not makers for _, makers in cells.values())
print(f"{len(State)} states, {len(INPUTS)} inputs, {len(cells)} cells, {silent} without an action")

ways: dict[State, list[str]] = {State.IDLE: []}
waiting = deque([State.IDLE])
while waiting:
    state = waiting.popleft()
    for given in INPUTS:
        after = cells[state, given][0]
        if after not in ways:
            ways[after] = [*ways[state], given.__name__]
            waiting.append(after)
for state, way in ways.items():
    print(f"{state.name:9} <- {', '.join(way) or 'a new socket'}")

ends = Counter(state.name for (state, _), (after, _) in cells.items() if after is State.CLOSING)
print("inputs that close:", ", ".join(f"{name} {count}" for name, count in ends.items()))

"""Waiting for eight workers: behind one queue, or behind four of two workers each."""

import heapq
import random

SEGMENTS = 40_000


def slowest_twentieth(busy: float, queues: int, workers: int) -> float:
    """The 95th percentile of the waits, in inferences; segments come at random."""
    chance = random.Random(0)
    free = [[0.0] * workers for _ in range(queues)]
    now, waits = 0.0, []
    for _ in range(SEGMENTS):
        now += chance.expovariate(busy * queues * workers)
        queue = chance.choice(free)
        begin = max(now, heapq.heappop(queue))
        heapq.heappush(queue, begin + 1.0)
        waits.append(begin - now)
    return sorted(waits)[int(0.95 * len(waits))]


print("busy  one queue, 8 workers  four queues, 2 workers each")
for busy in (0.5, 0.7, 0.8, 0.9):
    print(
        f"{busy:4.0%}  {slowest_twentieth(busy, 1, 8):20.2f}  {slowest_twentieth(busy, 4, 2):27.2f}"
    )

"""A simulation of a balancer in front of servers that restart one after another, for the book."""

import heapq
import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

SERVERS, SOCKETS, MEAN_MINUTES, SEED = 4, 400, 30.0, 0
"""Servers; sockets that are open at the same time; how long one is open, on average."""

RESTARTS = (40.0, 45.0, 50.0, 55.0)
"""Minutes at which the servers begin to restart, in their order."""

AWAY_MINUTES = 1.0
"""How long a server that restarts takes no sockets."""

END_MINUTES = 120

Choice = Callable[[Sequence[int], Sequence[int], int], int]
"""Chooses among the servers that are ready: the numbers of these, the sockets of all, and which
socket it is."""


class Minute(NamedTuple):
    """The sockets of each server at a time."""

    minute: int
    sockets: list[int]


def in_turns(ready: Sequence[int], sockets: Sequence[int], number: int) -> int:
    """One server after another."""
    del sockets
    return ready[number % len(ready)]


def fewest(ready: Sequence[int], sockets: Sequence[int], number: int) -> int:
    """The server with the fewest sockets."""
    return min(ready, key=lambda server: (sockets[server], (server - number) % SERVERS))


def rolling_restart(choose: Choice) -> list[Minute]:
    """The sockets of each server, minute by minute; a client that is cut off connects again."""
    chance = random.Random(SEED)
    sockets = [0] * SERVERS
    ends: list[list[float]] = [[] for _ in range(SERVERS)]
    number = 0

    def connect(now: float) -> None:
        nonlocal number
        ready = [
            server
            for server in range(SERVERS)
            if not RESTARTS[server] <= now < RESTARTS[server] + AWAY_MINUTES
        ]
        server = choose(ready, sockets, number)
        number += 1
        sockets[server] += 1
        heapq.heappush(ends[server], now + chance.expovariate(1 / MEAN_MINUTES))

    for _ in range(SOCKETS):
        connect(0.0)
    minutes, now, restarts = [], 0.0, list(enumerate(RESTARTS))
    for minute in range(1, END_MINUTES + 1):
        while now < minute:
            now += chance.expovariate(SOCKETS / MEAN_MINUTES)
            if restarts and now >= restarts[0][1]:
                server, _ = restarts.pop(0)
                cut, sockets[server] = sockets[server], 0
                ends[server].clear()
                for _ in range(cut):
                    connect(now)
            for server in range(SERVERS):
                while ends[server] and ends[server][0] <= now:
                    heapq.heappop(ends[server])
                    sockets[server] -= 1
            connect(now)
        minutes.append(Minute(minute, list(sockets)))
    return minutes

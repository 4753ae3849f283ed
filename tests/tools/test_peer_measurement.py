"""The rows of a peer, from a peer that serves so many streams and no more."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("matplotlib")

from streamer.vad.silero_network import SAMPLE_RATE
from tools.bench.peers.measurement import Plan, measure
from tools.bench.peers.peer import Connection, Description, Final, Peer
from tools.bench.peers.utterances import Reading, Utterance

ONE = Utterance(bytes(2 * SAMPLE_RATE // 10), 0.05)
READINGS = [Reading("one", (ONE,)), Reading("two", (ONE,)), Reading("three", (ONE,))]


class Echo(Connection):
    """Answers each utterance at once with "one", unless it is one too many."""

    def __init__(self, peer: "Limited") -> None:
        self._peer = peer
        self._answers: asyncio.Queue[int | None] = asyncio.Queue()
        self._utterances = 0

    async def begin_utterance(self) -> None:
        pass

    async def send(self, pcm: bytes) -> None:
        pass

    async def end_utterance(self) -> None:
        if self._peer.open <= self._peer.most:
            self._answers.put_nowait(self._utterances)
        self._utterances += 1

    async def finish(self) -> None:
        self._answers.put_nowait(None)

    async def finals(self) -> AsyncIterator[Final]:
        while (index := await self._answers.get()) is not None:
            yield Final("one", index)

    async def close(self) -> None:
        self._peer.open -= 1


class Limited(Peer):
    """Serves `most` streams."""

    description = Description("limited", "none", True, False, "nothing", first_streams=2)

    def __init__(self, most: int) -> None:
        self.most = most
        self.open = self.started = 0

    @contextmanager
    def serving(self, cores: int) -> Iterator[tuple[int, int]]:
        assert cores == 2
        self.started += 1
        yield 1, os.getpid()

    async def connect(self, port: int) -> Connection:
        assert port == 1
        self.open += 1
        return Echo(self)


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.bench.peers.utterances.GAP_S", 0.01)
    monkeypatch.setattr("tools.bench.peers.load.SPREAD_S", 0.0)
    monkeypatch.setattr("tools.bench.peers.measurement.UTTERANCE_S", 0.1)


def test_a_peer_has_a_row_and_a_row_for_each_load() -> None:
    peer = Limited(5)
    row, loads = measure(peer, Plan(READINGS, 3, 0.3), cores=2)
    assert row["most streams"] == 5
    assert (row["utterances"], row["lost"]) == (9, 0)
    assert row["word errors, %"] == 66.7
    assert [each["streams"] for each in loads] == [3, 2, 4, 8, 6, 5]
    late = [each["streams"] for each in loads if each["lost"]]
    assert late == [8, 6]
    assert peer.started == 3


def test_a_peer_without_answers_has_no_stream_in_time() -> None:
    row, loads = measure(Limited(0), Plan(READINGS, 1, 0.1), cores=2)
    assert row["most streams"] == 0
    assert row["p95 ms"] is None
    assert row["word errors, %"] == 100
    assert [each["streams"] for each in loads] == [1, 2, 1]


def test_without_a_search_there_is_the_equal_load_alone() -> None:
    row, loads = measure(Limited(5), Plan(READINGS, 3, 0.3, search=False), cores=2)
    assert row["most streams"] is None
    assert row["lost"] == 0
    assert [each["streams"] for each in loads] == [3]

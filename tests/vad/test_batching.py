"""Streams of one server bring their windows along with each other's."""

import asyncio
from collections.abc import Callable

import pytest

from streamer.vad.batching import Company
from tests.websocket.test_vanishing import _server_in_this_loop
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio


async def test_sessions_keep_each_other_company(monkeypatch: pytest.MonkeyPatch) -> None:
    ready: dict[Company, set[Callable[[], None]]] = {}
    calls: list[Company] = []
    offer, call = Company.offer, Company.call

    def offered(company: Company, come: Callable[[], None]) -> None:
        ready.setdefault(company, set()).add(come)
        offer(company, come)

    def called(company: Company) -> None:
        calls.append(company)
        call(company)

    monkeypatch.setattr(Company, "offer", offered)
    monkeypatch.setattr(Company, "call", called)
    async with _server_in_this_loop() as port:
        heard = await asyncio.gather(
            *(stream_audio(port, beckett(), sizes=(640,)) for _ in range(2))
        )
    ((company, sessions),) = ready.items()
    assert len(sessions) == 2
    assert set(calls) == {company}
    assert all(len(events_of(events, "segment")) == 6 for events in heard)

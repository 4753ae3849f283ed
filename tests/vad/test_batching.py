"""Streams of one server join each other's batches."""

import asyncio
from collections.abc import Callable

import pytest

from streamer.vad.batching import BatchInvitations
from tests.websocket.test_vanishing import _server_in_this_loop
from tools.harness.sounds import beckett
from tools.harness.streams import events_of, stream_audio


async def test_sessions_invite_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    callbacks: dict[BatchInvitations, set[Callable[[], None]]] = {}
    inviting: list[BatchInvitations] = []
    register, invite_oldest = BatchInvitations.register, BatchInvitations.invite_oldest

    def registered(invitations: BatchInvitations, wake: Callable[[], None]) -> None:
        callbacks.setdefault(invitations, set()).add(wake)
        register(invitations, wake)

    def invited(invitations: BatchInvitations) -> None:
        inviting.append(invitations)
        invite_oldest(invitations)

    monkeypatch.setattr(BatchInvitations, "register", registered)
    monkeypatch.setattr(BatchInvitations, "invite_oldest", invited)
    async with _server_in_this_loop() as port:
        heard = await asyncio.gather(
            *(stream_audio(port, beckett(), sizes=(640,)) for _ in range(2))
        )
    ((invitations, sessions),) = callbacks.items()
    assert len(sessions) == 2
    assert set(inviting) == {invitations}
    assert all(len(events_of(events, "segment")) == 6 for events in heard)

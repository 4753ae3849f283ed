"""Tickets of one server, shown to another of its group."""

import asyncio
import secrets
from collections.abc import Generator

import psutil
import pytest

from tests.end_to_end.conftest import _for_the_session
from tests.end_to_end.reliability.test_access import (
    TOKEN,
    is_let_in,
    is_refused_before_the_upgrade,
    opened,
    post,
)
from tools.harness.process import Server

OLD, NEW, OTHER = (secrets.token_hex(32) for _ in range(3))


def config(*ticket_secrets: str) -> dict[str, object]:
    return {
        "model": {"type": "standin"},
        "inference": {"workers": 1},
        "access": {"tokens": [TOKEN], "ticket_secrets": ticket_secrets},
    }


def started(factory: pytest.TempPathFactory, *ticket_secrets: str) -> Generator[Server]:
    for server in _for_the_session(factory.mktemp("group"), config(*ticket_secrets)):
        yield server
        assert not [secret for secret in (OLD, NEW, OTHER) if secret in server.log()]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """It still signs with the old secret."""
    yield from started(tmp_path_factory, OLD, NEW)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """It signs with the new one already."""
    yield from started(tmp_path_factory, NEW, OLD)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    yield from started(tmp_path_factory, OTHER)


async def buy(server: Server) -> str:
    status, body = await asyncio.to_thread(
        post, server, "/api/v1/ticket", Authorization=f"Bearer {TOKEN}"
    )
    assert status == 200
    return str(body["ticket"])


async def test_both_accept_each_others_tickets(here: Server, there: Server) -> None:
    for issuing, accepting in ((here, there), (there, here)):
        async with opened(accepting, "streamer.v1", f"token.{await buy(issuing)}") as socket:
            assert await is_let_in(socket)
        async with opened(accepting) as socket:
            assert await is_let_in(socket, token=await buy(issuing))


async def test_one_is_used_up_and_the_answer_says_so(here: Server, there: Server) -> None:
    ticket = await buy(here)
    async with opened(there, "streamer.v1", f"token.{ticket}") as socket:
        assert await is_let_in(socket)
    assert await is_refused_before_the_upgrade(there, "streamer.v1", f"token.{ticket}")
    async with opened(there) as socket:
        await socket.start(token=ticket)
        event = await socket.next_event()
        assert event["code"] == "unauthorized"
        assert event["message"].startswith("the ticket is not valid: it admits once")
    status, body = await asyncio.to_thread(
        post, there, "/api/v1/analyze", Authorization=f"Bearer {ticket}"
    )
    assert status == 401
    assert "it admits once, and was used before" in body["error"]["message"]


async def test_one_buys_no_other(here: Server, there: Server) -> None:
    ticket = await buy(here)
    status, _ = await asyncio.to_thread(
        post, there, "/api/v1/ticket", Authorization=f"Bearer {ticket}"
    )
    assert status == 401


async def test_one_of_another_group_is_refused(here: Server, stranger: Server) -> None:
    ticket = await buy(stranger)
    assert await is_refused_before_the_upgrade(here, "streamer.v1", f"token.{ticket}")
    async with opened(stranger, "streamer.v1", f"token.{ticket}") as socket:
        assert await is_let_in(socket)


async def test_other_vendors_tokens_work_at_both(here: Server, there: Server) -> None:
    status, body = await asyncio.to_thread(
        post, here, "/v1/auth/grant", Authorization=f"Token {TOKEN}"
    )
    assert status == 200
    for server in (there, here, there):  # they admit until they expire
        async with opened(server, Authorization=f"Bearer {body['access_token']}") as socket:
            assert await is_let_in(socket)


def test_workers_do_not_inherit_secrets(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = secrets.token_hex(32)
    server = Server(
        tmp_path_factory.mktemp("inherit"),
        {"model": {"type": "standin"}, "inference": {"workers": 1}},
        env={"STREAMER_TICKET_SECRETS": secret},
    )
    try:
        server.wait_ready()
        workers = server.workers()
        assert workers
        for worker in workers:
            assert secret not in str(psutil.Process(worker.pid).environ())
    finally:
        server.stop()

"""Check of the exercise `session_tasks`."""

import asyncio

import pytest

from tests.book.exercise import load

answer = load("session_tasks")


class Parts:
    """Parts, and what has become of them."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def forever(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # the clean-up takes a while, too
            self.ended.append("forever")

    async def returns(self) -> None:
        await asyncio.sleep(0)

    async def fails(self) -> None:
        await asyncio.sleep(0)
        raise ConnectionError("gone")

    async def fails_in_the_end(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("the file could not be closed")


def kinds(group: BaseExceptionGroup[BaseException]) -> set[type[BaseException]]:
    return {type(error) for error in group.exceptions}


async def test_the_first_that_returns_ends_all() -> None:
    parts = Parts()
    await answer.run_session([parts.forever, parts.returns, parts.forever])
    assert parts.ended == ["forever", "forever"], "all have ended, with their clean-up"


async def test_a_failure_is_raised_after_all_have_ended() -> None:
    parts = Parts()
    with pytest.raises(ExceptionGroup) as caught:
        await answer.run_session([parts.fails, parts.forever])
    assert kinds(caught.value) == {ConnectionError}
    assert parts.ended == ["forever"]


async def test_a_failure_in_the_clean_up_is_not_lost() -> None:
    parts = Parts()
    with pytest.raises(ExceptionGroup) as caught:
        await answer.run_session([parts.returns, parts.fails_in_the_end])
    assert kinds(caught.value) == {OSError}
    with pytest.raises(ExceptionGroup) as caught:
        await answer.run_session([parts.fails, parts.fails_in_the_end])
    assert kinds(caught.value) == {ConnectionError, OSError}


async def test_who_cancels_it_cancels_all() -> None:
    parts = Parts()
    async with asyncio.TaskGroup() as tasks:
        session = tasks.create_task(answer.run_session([parts.forever]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        session.cancel()
    assert session.cancelled()
    assert parts.ended == ["forever"]


async def test_nothing_goes_on_afterwards() -> None:
    parts = Parts()
    before = asyncio.all_tasks()
    await answer.run_session([parts.returns, parts.forever])
    assert asyncio.all_tasks() == before

"""Calls end with the server, and their tasks are waited for."""

import asyncio

from streamer.rpc.open_calls import OpenCalls
from tests.virtual_time import in_virtual_time


@in_virtual_time
async def test_what_the_server_cuts_off_is_told_from_what_its_client_ends() -> None:
    calls, cleaned = OpenCalls(), []

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.5)
            cleaned.append(1)

    async with asyncio.TaskGroup() as tasks:
        vanished = tasks.create_task(calls.serve(work()))
        cut_off = tasks.create_task(calls.serve(work()))
        short = tasks.create_task(calls.serve(asyncio.sleep(1)))
        await asyncio.sleep(2)
        vanished.cancel()
        await asyncio.wait([vanished])
        assert vanished.cancelled()
        await calls.cut_off(1.0)
        assert cut_off.done(), "it has been waited for"
        assert cut_off.result()
        assert not short.result()
    assert len(cleaned) == 2


@in_virtual_time
async def test_a_client_that_goes_while_it_is_cut_off_gets_no_status() -> None:
    calls = OpenCalls()
    async with asyncio.TaskGroup() as tasks:
        both = tasks.create_task(calls.serve(asyncio.sleep(1000)))
        await asyncio.sleep(1)
        both.cancel()
        await calls.cut_off(1.0)
        assert both.cancelled()


@in_virtual_time
async def test_a_call_that_does_not_end_is_not_waited_for_for_ever() -> None:
    calls = OpenCalls()

    async def stubborn() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(10)

    async with asyncio.TaskGroup() as tasks:
        call = tasks.create_task(calls.serve(stubborn()))
        await asyncio.sleep(1)
        await calls.cut_off(1.0)
        assert not call.done()
        assert asyncio.get_running_loop().time() == 2.0

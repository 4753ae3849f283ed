"""Who has more to parse than can be parsed at once waits for a turn."""

import asyncio
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from streamer.websocket.turns import ParserTurns


@given(st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_each_has_one_turn_of_the_loop_and_all_go_round(pieces: list[int]) -> None:
    """Connections ask again from within their turn, until they have nothing left."""
    left, order, at_turns = list(pieces), list[int](), list[int]()

    async def run() -> None:
        turns, turn = ParserTurns(), 0

        def parse(connection: int) -> None:
            order.append(connection)
            at_turns.append(turn)
            left[connection] -= 1
            if left[connection]:
                turns.request(partial(parse, connection))

        for connection in range(len(left)):
            turns.request(partial(parse, connection))
        while any(left):
            await asyncio.sleep(0)
            turn += 1

    asyncio.run(run())
    assert len(set(at_turns)) == len(at_turns)
    rounds = range(max(pieces))
    assert order == [c for done in rounds for c, many in enumerate(pieces) if many > done]


async def test_one_that_goes_wrong_holds_up_nobody() -> None:
    turns, parsed, told = ParserTurns(), asyncio.Event(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, c: told.append(c["exception"]))
    problem = ValueError("not a frame")

    def fail() -> None:
        raise problem

    turns.request(fail)
    turns.request(parsed.set)
    async with asyncio.timeout(10):
        await parsed.wait()
    assert told == [problem]

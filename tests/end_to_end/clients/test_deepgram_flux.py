"""Flux: the end of a turn comes early where that is asked for, and is taken back if need be."""

import pytest

from tests.end_to_end.clients.deepgram_socket import described, listening
from tools.harness.process import Server
from tools.harness.sounds import beckett, silence

SPEECH, PAUSE = beckett().part(0, 1.0), silence(0.4).data


@pytest.mark.parametrize("later", [False, True])
async def test_an_end_of_turn_that_is_taken_back(standin: Server, *, later: bool) -> None:
    """The threshold is in the query, or comes with a `Configure`."""
    options = described(beckett()) | ({} if later else {"eager_eot_threshold": "0.4"})
    async with listening(standin, options, path="/v2/listen") as socket:
        assert (await socket.next_event())["type"] == "Connected"
        if later:
            await socket.control("Configure", thresholds={"eager_eot_threshold": 0.4})
            (done,) = await socket.events_until("ConfigureSuccess")
            assert done["thresholds"] == {"eager_eot_threshold": 0.4}

        async def next_turn(event: str) -> dict[str, object]:
            while (message := await socket.next_event())["event"] == "Update":
                pass
            assert message["event"] == event
            return message

        await socket.send(SPEECH)
        await next_turn("StartOfTurn")
        await socket.send(PAUSE)
        eager = await next_turn("EagerEndOfTurn")
        assert eager["end_of_turn_confidence"] == 0.4
        await socket.send(SPEECH[len(SPEECH) // 2 :])
        resumed = await next_turn("TurnResumed")
        assert resumed["transcript"] == eager["transcript"]
        await socket.send(PAUSE)
        eager = await next_turn("EagerEndOfTurn")
        await socket.send(PAUSE)
        ended = await next_turn("EndOfTurn")
        assert ended["transcript"] == eager["transcript"]
        assert (ended["turn_index"], ended["trigger"]) == (0, "model")
        await socket.send(SPEECH)
        await next_turn("StartOfTurn")
        await socket.control("ForceEndTurn")
        ended = await next_turn("EndOfTurn")
        assert (ended["turn_index"], ended["trigger"]) == (1, "manual")
        await socket.control("CloseStream")
        assert await socket.events_until_close() == []
    assert socket.closed == (1000, "")


async def test_nothing_comes_early_that_was_not_asked_for(standin: Server) -> None:
    async with listening(standin, described(beckett()), path="/v2/listen") as socket:
        await socket.send(beckett().data, [2_560])
        await socket.control("CloseStream")
        found = await socket.events_until_close()
    assert {message.get("event") for message in found} <= {
        *(None, "StartOfTurn", "Update", "EndOfTurn")
    }
    assert [message.get("event") for message in found].count("EndOfTurn") == 6

"""Parameters of a stream's address: a warning says that they have no effect, once a socket."""

import pytest

from streamer_client import connect
from tools.harness.process import Server
from tools.harness.sounds import beckett


@pytest.mark.parametrize("path", ["segmented", "simple"])
@pytest.mark.parametrize(("query", "count"), [("?words=true&x=1", 1), ("?token=any", 0), ("", 0)])
async def test_the_client_is_warned(standin: Server, path: str, query: str, count: int) -> None:
    address = f"ws://127.0.0.1:{standin.port}/api/v1/{path}{query}"
    async with connect(address) as stream:
        await stream.send(beckett().data)
        await stream.stop()
        events = [event async for event in stream]
    assert events[0].type == "started"
    found = [event for event in events if event.code == "ignored_field"]
    assert len(found) == count
    for warning in found:
        assert "'words' (in the start message: 'words'), 'x'" in str(warning.message)
    assert any(event.type == "segment" for event in events)

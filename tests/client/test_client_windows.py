"""Those parts of the client that differ on Windows, as far as they run here.

`make types` checks the types of the whole client for Windows.
"""

import asyncio
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer_client.pipe import Pipe


@settings(deadline=None, max_examples=30)
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=2_000), max_size=8), count=st.integers(1, 3_000)
)
def test_a_pipe_that_threads_read_gives_all_bytes(pieces: list[bytes], count: int) -> None:
    async def read_all() -> bytes:
        readable, writable = os.pipe()
        with os.fdopen(readable, "rb", buffering=0) as file:
            pipe = Pipe.read_by_threads(file)
            for piece in pieces:
                os.write(writable, piece)
            os.close(writable)
            looked_at = await pipe.look_at(3)
            found = b""
            while data := await pipe.read(count):
                found += data
            assert found.startswith(looked_at)
            return found

    assert asyncio.run(read_all()) == b"".join(pieces)


def test_bytes_are_passed_on_before_the_end_comes() -> None:
    async def read_first() -> bytes:
        readable, writable = os.pipe()
        with os.fdopen(readable, "rb", buffering=0) as file:
            pipe = Pipe.read_by_threads(file)
            os.write(writable, b"first")
            first = await pipe.read(100)
            os.close(writable)
            assert await pipe.read(100) == b""
            return first

    assert asyncio.run(read_first()) == b"first"

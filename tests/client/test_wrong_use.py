"""Mistakes in calls of `connect`, `transcribe` and `configure`: the error says what is meant."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from streamer_client import AudioFileError, InvalidAddress, connect, transcribe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.client.conftest import Peer, ServeScript

NOWHERE = "ws://127.0.0.1:1/api/v1/segmented"

WRONG: list[tuple[str, Any, str]] = [
    ("url", 5, "url is 5; allowed: text"),
    ("path", 5, "path is 5; allowed: text or a path"),
    ("path", None, "path is None; allowed: text or a path"),
    ("sample_rate", "16000", "sample_rate is '16000'; allowed: a whole number"),
    ("sample_rate", 16_000.0, "sample_rate is 16000.0; allowed: a whole number"),
    ("sample_rate", True, "sample_rate is True; allowed: a whole number"),
    ("channels", None, "channels is None; allowed: a whole number"),
    ("bit_depth", "16", "bit_depth is '16'; allowed: a whole number"),
    ("is_float", "no", "is_float is 'no'; allowed: True or False"),
    ("encoding", 8, "encoding is 8; allowed: text or None"),
    ("interim_results", "no", "interim_results is 'no'; allowed: True or False"),
    ("eager", "no", "eager is 'no'; allowed: True or False"),
    ("words", "no", "words is 'no'; allowed: True or False"),
    ("words", None, "words is None; allowed: True or False"),
    ("keyterms", None, "keyterms is None; allowed: a list of texts"),
    ("keyterms", {"a": 1}, "keyterms is {'a': 1}; allowed: a list of texts"),
    ("keyterms", ["a", 5], "keyterms[1] is 5; allowed: text"),
    ("vad", "off", "vad is 'off'; allowed: a mapping such as {\"min_silence_ms\": 300}, or None"),
    ("vad", {"threshold": "x"}, "vad['threshold'] is 'x'; allowed: a number"),
    ("vad", {5: 1}, "a key of vad is 5; allowed: text"),
    ("model", 5, "model is 5; allowed: text or None"),
    ("model", ["x" * 99], f"model is ['{'x' * 57}…; allowed: text or None"),
    ("token", 5, "token is of type int; allowed: text or None"),
    ("token", b"s3cret", "token is of type bytes; allowed: text or None"),
    ("trace_id", 5, "trace_id is 5; allowed: text or None"),
    ("timeout_s", "x", "timeout_s is 'x'; allowed: a number of seconds"),
    ("timeout_s", None, "timeout_s is None; allowed: a number of seconds"),
]


@pytest.mark.parametrize(
    ("function", "name", "value", "says"),
    [
        (function, *wrong)
        for function in (connect, transcribe)
        for wrong in WRONG
        if wrong[0] in inspect.signature(function).parameters
    ],
)
def test_an_argument_of_another_type_is_named(
    function: Callable[..., object], name: str, value: Any, says: str
) -> None:
    given = {"url": NOWHERE, **({"path": "x.wav"} if function is transcribe else {}), name: value}
    with pytest.raises(TypeError) as refused:
        function(**given)
    assert str(refused.value) == says


def test_each_argument_is_tried() -> None:
    names = {*inspect.signature(connect).parameters, *inspect.signature(transcribe).parameters}
    assert names == {name for name, _, _ in WRONG}


async def test_a_file_in_the_place_of_the_address_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    file.touch()
    with pytest.raises(InvalidAddress, match=r"a\.wav is a file, not an address; give one like"):
        async with connect(str(file)):
            pass


async def test_an_address_in_the_place_of_the_file_is_told() -> None:
    with pytest.raises(
        AudioFileError, match="localhost:8080 is an address, not a file; give a file"
    ):
        await anext(transcribe("ws://localhost:8080", NOWHERE))


async def begin_and_finish(peer: Peer) -> None:
    await peer.begin()
    await peer.read_to_stop()
    await peer.finish()


async def test_what_is_configured_is_checked_as_what_is_opened(serve_script: ServeScript) -> None:
    server = await serve_script(begin_and_finish)
    wrong: dict[str, Any]
    async with connect(server.url, vad={"threshold": 0.5}, keyterms=("a",)) as stream:
        for wrong, says in (
            ({"words": "no"}, "words is 'no'; allowed: True or False"),
            ({"vad": [1]}, r"vad is \[1\]; allowed: a mapping"),
            ({"keyterms": "Ada"}, "keyterms is 'Ada'; allowed: a list of texts"),
            ({"model": 5}, "model is 5; allowed: text"),
        ):
            with pytest.raises(TypeError, match=says):
                await stream.configure(**wrong)
        await stream.stop()
        assert [event.type async for event in stream][-1] == "stopped", "and the stream goes on"


async def send_at_once(opening: Any) -> None:
    await opening.send(b"")


async def wait(awaited: Any) -> None:
    await awaited


async def iterate(events: Any) -> None:
    async for _ in events:
        pass


async def iterate_without_async(events: Any) -> None:
    for _ in events:
        pass


async def enter(context: Any) -> None:
    async with context:
        pass


async def enter_without_async(context: Any) -> None:
    with context:
        pass


@pytest.mark.parametrize(
    "use", [send_at_once, wait, iterate, iterate_without_async, enter_without_async]
)
async def test_a_stream_without_async_with(use: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)) as refused:
        await use(connect(NOWHERE))
    assert "use 'async with connect(…) as stream:'" in str(refused.value)


@pytest.mark.parametrize(
    "use", [send_at_once, wait, iterate_without_async, enter, enter_without_async]
)
async def test_events_without_async_for(use: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, AttributeError)) as refused:
        await use(transcribe("x.wav", NOWHERE))
    assert "use 'async for event in transcribe(…):'" in str(refused.value)

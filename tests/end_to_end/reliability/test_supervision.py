"""A defect in any stage ends one session, in order, and is written down with its trace."""

import contextlib
import io
import json
import logging
from collections.abc import Callable, Generator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Resampler
from streamer.observe.monitor import Monitor
from streamer.pipeline.outbox import Outbox
from streamer.pipeline.sender import ResultSender
from streamer.session.reader import Reader
from streamer.telemetry.logs import JsonFormatter
from streamer.vad.segmenter import Segmenter
from streamer.vad.silero_network import SileroNetwork
from tests.websocket.test_vanishing import _server_in_this_loop
from tools.harness.sounds import Audio, beckett
from tools.harness.streams import client, events_of, stream_audio

STAGES: dict[str, tuple[type, str]] = {
    "reader": (Reader, "_take"),
    "decode": (PcmDecoder, "decode"),
    "resample": (Resampler, "push"),
    "vad": (SileroNetwork, "step"),
    "segmenter": (Segmenter, "advance"),
    "sender": (ResultSender, "send_segment"),
    "deadlines": (Reader, "keep_time"),
    "outbox": (Outbox, "get"),
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Defect(Exception):
    """Injected."""


class Counting(Monitor):
    """Remembers the errors that clients were told of."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[str] = []

    def error(self, code: str) -> None:
        self.errors.append(code)


def failing_once(real: Callable[..., Any], armed: list[bool]) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        if armed:
            armed.pop()
            raise Defect("injected")
        return real(*args, **kwargs)

    return fail


@pytest.fixture
def log() -> Generator[io.StringIO]:
    """What is logged of errors, as the server logs it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    handler.setLevel(logging.ERROR)
    logging.getLogger("streamer").addHandler(handler)
    yield written
    logging.getLogger("streamer").removeHandler(handler)


@pytest.mark.parametrize("stage", STAGES)
async def test_a_defect_ends_one_session(
    stage: str, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    owner, name = STAGES[stage]
    # These run from the beginning of a session on, when it has no trace yet.
    at_once, monitor = stage in ("outbox", "deadlines"), Counting()
    armed: list[bool] = []
    real = getattr(owner, name)
    audio = Audio(beckett().data, sample_rate=16_000)
    async with _server_in_this_loop(monitor) as port:
        monkeypatch.setattr(owner, name, failing_once(real, armed))
        async with client(port) as neighbour:
            await neighbour.start(audio)
            await neighbour.send(audio.part(0, 1.0))
            await neighbour.events_until("active")
            if at_once:
                armed.append(True)
            async with client(port) as victim:
                await victim.start(audio, trace_id=TRACE)
                if not at_once:
                    await victim.events_until("started")
                    # Windows that fail together are tried once more, each channel alone.
                    armed += [True] * (2 if stage == "vad" else 1)
                with contextlib.suppress(ConnectionClosed):  # it may have failed already
                    await victim.send(audio.part(0, 2.0))
                    await victim.send_request("stop")
                told = await victim.events_until_close()
            (error,) = events_of(told, "error")
            assert error["code"] == "internal_error"
            assert error["fatal"] is True
            assert "injected" not in json.dumps(told)
            assert victim.close_code == 1011
            await neighbour.send(audio.part(1.0, 10.0))
            await neighbour.send_request("stop", disconnect=True)
            assert len(events_of(await neighbour.events_until_close(), "segment")) == 6
        assert not armed
        assert len(events_of(await stream_audio(port, audio), "segment")) == 6
    (line,) = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["message"] == "the session failed"
    assert "injected" in line["exception"]
    assert line["session_id"] in error["message"], "what the client is asked to quote"
    assert at_once or line["trace_id"] == TRACE
    assert monitor.errors == ["internal_error"]

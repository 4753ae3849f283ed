"""A defect in any stage ends one session, in order, and is written down with its trace."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from streamer.audio.pcm import PcmDecoder
from streamer.audio.resample import Resampler
from streamer.delivery import Delivery
from streamer.outbox import Outbox
from streamer.reader import Reader
from streamer.speech.segmenter import Segmenter
from streamer.speech.silero import SileroNetwork
from tests.server.sounds import Audio, beckett
from tests.server.streams import client, hear, of
from tests.server.test_vanishing import _server_in_this_loop

STAGES: dict[str, tuple[type, str]] = {
    "reader": (Reader, "_take"),
    "decode": (PcmDecoder, "decode"),
    "resample": (Resampler, "push"),
    "vad": (SileroNetwork, "step"),
    "segmenter": (Segmenter, "advance"),
    "delivery": (Delivery, "_deliver"),
    "deadlines": (Reader, "keep_time"),
    "outbox": (Outbox, "get"),
}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Defect(Exception):
    """Injected."""


def failing_once(real: Callable[..., Any], armed: list[bool]) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        if armed:
            armed.clear()
            raise Defect("injected")
        return real(*args, **kwargs)

    return fail


@pytest.mark.parametrize("stage", STAGES)
async def test_a_defect_ends_one_session(
    stage: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    owner, name = STAGES[stage]
    armed: list[bool] = []
    real = getattr(owner, name)
    audio = Audio(beckett().data, sample_rate=16_000)
    async with _server_in_this_loop() as port:
        monkeypatch.setattr(owner, name, failing_once(real, armed))
        async with client(port) as neighbour:
            await neighbour.start(audio)
            await neighbour.send(audio.part(0, 1.0))
            await neighbour.until("active")
            if stage in ("outbox", "deadlines"):  # they are already running for what is open
                armed.append(True)
            async with client(port) as victim:
                await victim.start(audio, trace_id=TRACE)
                if not armed and stage not in ("outbox", "deadlines"):
                    await victim.until("started")
                    armed.append(True)
                with caplog.at_level(logging.ERROR):
                    await victim.send(audio.part(0, 2.0))
                    await victim.ask("stop")
                    told = await victim.rest()
            (error,) = of(told, "error")
            assert error["code"] == "internal_error"
            assert error["fatal"] is True
            assert "injected" not in json.dumps(told)
            assert victim.close_code == 1011
            await neighbour.send(audio.part(1.0, 10.0))
            await neighbour.ask("stop", disconnect=True)
            assert len(of(await neighbour.rest(), "segment")) == 6
        assert not armed
        assert len(of(await hear(port, audio), "segment")) == 6
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.message == "the session failed"
    assert record.exc_info is not None
    assert "injected" in logging.Formatter().formatException(record.exc_info)

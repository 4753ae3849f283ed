"""Base for finals and Tiny for interims, as they are served on two cores or more."""

import numpy as np
import soxr

from streamer.model import SegmentRequest
from streamer.models.moonshine.transcriber import Moonshine
from streamer.onnx.graph import Floats
from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tools.harness.json_socket import Event
from tools.harness.sounds import Audio, encode, recording
from tools.harness.streams import check_stream, client, events_of

PAIR = {"type": "moonshine", "path": "moonshine-base-en", "interim_model": "moonshine-tiny-en"}
SECONDS = 9
"""Of a reading, with words that the two models write in different ways."""


def reading() -> Audio:
    samples, rate = recording("two_cities.wav")
    return encode(soxr.resample(samples[-15 * rate : -(15 - SECONDS) * rate], rate, 16_000), 16_000)


def said_of(name: str, audio: Audio, events: list[Event], *, interim: bool) -> list[str]:
    """What a model makes of the audio of events."""
    model = Moonshine(require(name))
    samples = np.frombuffer(audio.data, np.int16).astype(np.float32) / np.float32(32_768)
    request = SegmentRequest(interim=interim)

    def audio_of(event: Event) -> Floats:
        first, last = (round(event[time] * 16_000) for time in ("start_time", "end_time"))
        return samples[first:last]

    return [str(model.infer_request(audio_of(each), request)["text"]) for each in events]


async def test_finals_are_those_of_base_and_interims_those_of_tiny(launch: Launch) -> None:
    """The interim of a pause is an early final."""
    server = launch({"model": PAIR, "interim": {"interval_ms": 500, "growth": 0}})
    audio, events = reading(), list[Event]()
    async with client(server) as socket:
        await socket.start(audio, words=True, interim_results=True)
        await socket.send(audio.part(0, 1))
        for second in range(1, SECONDS):
            await socket.send(audio.part(second, second + 1))
            events += await socket.events_until("interim")
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    assert events[0]["model"] == "moonshine-base-en"
    segments, found_interims = events_of(events, "segment"), events_of(events, "interim")
    interims = [interim for interim in found_interims if "confidence" not in interim]
    finals = [*segments, *(interim for interim in found_interims if "confidence" in interim)]
    found = [final["text"] for final in finals]
    assert found == said_of("moonshine-base-en", audio, finals, interim=False)
    assert all(segment["words"] and segment["confidence"] for segment in segments)
    texts = [interim["text"] for interim in interims]
    assert texts == said_of("moonshine-tiny-en", audio, interims, interim=True)
    assert texts != said_of("moonshine-base-en", audio, interims, interim=True)
    assert not any("words" in interim for interim in found_interims)
    (model,) = server.get("/api/v1/info").json()["models"]
    assert (model["name"], model["words"], model["keyterms"]) == ("moonshine-base-en", True, True)

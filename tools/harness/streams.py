"""A small WebSocket client, and a check of the events of a stream."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tools.harness.json_socket import Event, JsonSocket, connected
from tools.harness.process import Server
from tools.harness.sounds import Audio


class Client(JsonSocket):
    """One socket of Streamer's own protocol."""

    async def start(self, audio: Audio | None = None, **fields: Any) -> None:
        """Send `start` for this audio's format; 16 kHz, 16 bits, mono when there is none."""
        await self.send_request("start", format=(audio or Audio(b"")).format, **fields)

    async def send_request(self, request: str, **fields: Any) -> None:
        """Send a request as JSON: `start`, `flush`, `keep_alive` or `stop`, with its fields."""
        await self.send_text(json.dumps({"request": request, **fields}))

    async def send_text(self, text: str) -> None:
        """Send a text message as it is."""
        await self.connection.send(text)

    def abort(self) -> None:
        """Close the TCP connection without a closing frame."""
        self.connection.transport.abort()


@asynccontextmanager
async def client(
    server: Server | int, path: str = "segmented", **headers: str
) -> AsyncIterator[Client]:
    """Connect to a server, or to a port of this machine."""
    async with connected(server, f"/api/v1/{path}", headers) as connection:
        yield Client(connection)


async def stream_audio(
    server: Server | int,
    audio: Audio,
    path: str = "segmented",
    sizes: Iterable[int] = (65_536,),
    **start: Any,
) -> list[Event]:
    """Stream audio over a new socket, check the events, and return them.

    Args:
        server: A server, or a port of this machine.
        audio: What is sent.
        path: Below `/api/v1/`.
        sizes: Of the messages in bytes, over and over.
        start: More fields of the `start`.
    """
    async with client(server, path) as socket:
        await socket.start(audio, **start)
        await socket.send(audio.data, sizes)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert socket.close_code == 1000
    check_stream(events)
    assert events[-1]["audio_seconds"] == audio.seconds
    return events


def events_of(events: list[Event], *kinds: str, channel: int | None = None) -> list[Event]:
    """The events of some types; with `channel`, only those of one channel."""
    chosen = [event for event in events if event["type"] in kinds]
    return [event for event in chosen if channel is None or event["channel"] == channel]


def transcript(events: list[Event], channel: int | None = None) -> str:
    """The text of all segments, one after another."""
    return " ".join(event["text"] for event in events_of(events, "segment", channel=channel))


def findings(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """What was found in the audio: the events of speech, and the results.

    They are two sequences, because their interleaving depends on how fast the model was.
    """
    return events_of(events, "active", "inactive"), events_of(events, "segment", "error")


def check_stream(events: list[Event]) -> None:
    """Assert the rules of `docs/protocol.md` for the events of one whole stream."""
    events = [event for event in events if event["type"] != "warning"]
    started, *within, stopped = events
    assert started["type"] == "started"
    assert stopped["type"] == "stopped"
    assert stopped["session_id"] == started["session_id"]
    assert stopped["segments"] == len(events_of(within, "segment"))
    _check_account(stopped, events_of(within, "error"))
    assert not events_of(within, "started", "stopped")
    for segment in events_of(within, "segment") if started.get("words") else ():
        _check_words(segment)
    settings = events_of(events, "started", "configured")
    interims = any(each["interim_results"] or each.get("eager") for each in settings)
    for channel in {event["channel"] for event in within if "channel" in event}:
        of_channel = [event for event in within if event.get("channel") == channel]
        if started["vad"] is None:
            _check_chunks(of_channel)
        else:
            _check_speech(of_channel, interims=interims)


def _same_result(eager: Event | None, segment: Event) -> bool:
    """Whether a segment is what an eager interim has promised."""
    if eager is None:
        return True
    envelope = {"type": "segment", "is_final": True}
    promised = {name: value for name, value in eager.items() if name != "eager"} | envelope
    return {**segment, "flushed": None} == {**promised, "flushed": None}


def _check_account(stopped: Event, errors: list[Event]) -> None:
    """Assert that the sums close, and that what failed is what the errors name."""
    for number, seconds in enumerate(stopped["seconds"]):
        assert seconds["channel"] == number
        assert seconds["received"] == stopped["audio_seconds"]
        in_segments = seconds["transcribed"] + seconds["failed"] + seconds["dropped"]
        assert seconds["speech"] <= in_segments + 1e-6
        assert in_segments + seconds["loud_unheard"] <= seconds["received"] + 1e-6
        failed = [error for error in errors if error.get("channel") == number]
        spans = sum(error["end_time"] - error["start_time"] for error in failed)
        assert abs(seconds["failed"] - spans) <= 0.001 * (1 + len(failed))


def _check_words(segment: Event) -> None:
    """Assert that the words are the text, and are in order within their segment."""
    words = segment["words"]
    assert " ".join(word["text"] for word in words) == segment["text"]
    times = [time for word in words for time in (word["start_time"], word["end_time"])]
    assert times == sorted(times), "words overlap"
    assert all(segment["start_time"] <= time <= segment["end_time"] for time in times)
    assert all(0 <= word["confidence"] <= 1 for word in words)


def _check_chunks(events: list[Event]) -> None:
    """Assert that segments follow one another from 0 on without a gap, and end at a flush."""
    assert {event["type"] for event in events} <= {"segment", "error", "flushed"}
    end_s = 0.0
    for event in events:
        if event["type"] == "flushed":
            assert event["time"] == end_s
        else:
            assert event["start_time"] == end_s
            end_s = event["end_time"]


def _check_speech(events: list[Event], *, interims: bool) -> None:
    """Assert `active`, interims, `inactive` in turn, and the results in the same order.

    A flush is answered after the results of the audio before, and before events of later audio.
    """
    pending: list[dict[str, Any]] = []
    now: dict[str, Any] | None = None
    eager: Event | None = None
    flushed_s = end_s = 0.0
    for event in events:
        match event["type"]:
            case "flushed":
                assert now is None
                assert not pending, "a flush is answered before a result of the audio before"
                assert event["time"] >= end_s
                flushed_s = event["time"]
            case "active":
                assert now is None
                assert event["time"] >= flushed_s
                now = {"active": event["time"], "interims": []}
                pending.append(now)
            case "interim":
                assert interims
                assert event["is_final"] is False
                assert now is not None, "an interim outside of speech"
                assert eager is None, "an interim before the eager one is taken back"
                eager = event if event.get("eager") else None
                now["interims"].append(event)
            case "resumed":
                assert eager is not None, "there is nothing to take back"
                eager = None
            case "inactive":
                assert now is not None
                now["inactive"], now["eager"], now, eager = event["time"], eager, None, None
            case "segment" | "error":
                found = pending.pop(0)
                start_s, end_s = event["start_time"], event["end_time"]
                assert _same_result(found["eager"], event), "an eager interim is not the segment"
                assert flushed_s <= start_s <= found["active"] < found["inactive"] <= end_s
                assert all(i["start_time"] == start_s for i in found["interims"])
                ends = [i["end_time"] for i in found["interims"]]
                assert ends == sorted(set(ends)), "interims must grow"
                assert not ends or ends[-1] <= end_s
    assert now is None
    assert not pending, "an active without a result"

"""What the server writes to its log, line by line."""

import asyncio
import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.observe.log_context import LogContext, current
from streamer.telemetry.logs import set_up
from tests.end_to_end.conftest import Launch
from tools.harness.process import Server, wait_until
from tools.harness.sounds import beckett, silence
from tools.harness.streams import client, events_of, stream_audio


def lines(server: Server) -> list[dict[str, Any]]:
    """All of them; each is a JSON object."""
    return [json.loads(line) for line in server.log().splitlines()]


def ended(server: Server) -> list[dict[str, Any]]:
    return [line for line in lines(server) if line["message"].startswith("stream ")]


async def test_a_stream_ends_with_one_line_of_totals_and_no_text(launch: Launch) -> None:
    server = launch()
    events = await stream_audio(server, beckett(), interim_results=True)
    (line,) = await asyncio.to_thread(_wait_for_end, server)
    assert {line["level"], line["message"]} == {"info", "stream ended"}
    assert line["session_id"] == events[0]["session_id"]
    assert line["trace_id"] == events[0]["trace_id"]
    assert line["segments"] == len(events_of(events, "segment"))
    assert line["interims"] == len(events_of(events, "interim"))
    assert line["audio_seconds"] == pytest.approx(events[-1]["audio_seconds"], abs=0.001)
    seconds = events[-1]["seconds"][0]
    assert line["channel_seconds"] == {
        name: pytest.approx(seconds[name], abs=0.001) for name in seconds if name != "channel"
    }
    assert line["model"] == "moonshine-tiny-en"
    assert "tried" not in server.log().lower()


async def test_a_stream_that_is_broken_off_says_so(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with client(server) as socket:
        await socket.start()
        await socket.events_until("started")
        await socket.send(silence(1).data)
        socket.abort()
    (line,) = await asyncio.to_thread(_wait_for_end, server)
    assert line["message"] == "stream broken off"


async def test_failures_are_logged_with_their_session_and_trace(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1}}})
    events = await stream_audio(server, silence(1), "simple")
    (line,) = [line for line in lines(server) if "inference_failed" in line["message"]]
    assert line["session_id"] == events[0]["session_id"]
    assert line["trace_id"] == events[0]["trace_id"]
    assert "standin.py" in line["message"]


async def test_a_client_cannot_forge_a_line(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}}, "--log-level", "debug")
    forged = 'x\r\n{"level": "error", "message": "forged"}\x1b[2J\u2028'
    async with client(server, **{"X-Anything": "fine"}) as socket:
        await socket.start(trace_id=forged)
        await socket.start(model=forged)
        await socket.send_request(forged, **{forged: forged})
        await socket.send_text(forged)
        await socket.send_request("stop", disconnect=True)
        await socket.events_until_close()
    await asyncio.to_thread(_wait_for_end, server)
    assert not [line for line in lines(server) if line["message"] == "forged"]


def test_a_person_reads_columns(launch: Launch) -> None:
    config = {"model": {"type": "standin"}, "telemetry": {"log_format": "text"}}
    server = launch(config)
    asyncio.run(stream_audio(server, silence(1), "simple"))
    wait_until(lambda: "stream ended" in server.log(), "the stream's line")
    (line,) = [line for line in server.log().splitlines() if "stream ended" in line]
    assert " INFO    stream ended route=simple dialect=native model=standin channels=1" in line
    assert "Stop with Ctrl-C." in server.log().splitlines()


@given(st.text(), st.text(), st.sampled_from(["json", "text"]))
def test_one_record_is_one_line_whatever_it_says(message: str, field: str, form: Any) -> None:
    out = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        set_up("debug", form, out)
        token = current.set(LogContext("session", field))
        logging.getLogger("test").warning("%s", message, extra={"fields": {"field": field}})
        current.reset(token)
    finally:
        root.handlers[:], root.level = before
    assert len(out.getvalue().splitlines()) == 1
    assert out.getvalue().rstrip("\n").isprintable()


def _wait_for_end(server: Server) -> list[dict[str, Any]]:
    wait_until(lambda: ended(server), "the stream's line")
    return ended(server)

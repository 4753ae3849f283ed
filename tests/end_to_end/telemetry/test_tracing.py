"""Traces as a collector receives them: from the client's own span into the worker processes."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from streamer.observe.traceparent import TraceContext
from streamer.telemetry.opentelemetry import OtelTracer, TraceIds
from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import post, wav
from tests.end_to_end.telemetry.receiver import Receiver, Span, grpc_receiver, http_receiver
from tools.harness.json_socket import Event
from tools.harness.process import TIMEOUT_S, wait_until
from tools.harness.sounds import beckett, recording, silence
from tools.harness.streams import client, events_of, stream_audio

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXPORT_SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture
def receiver() -> Generator[tuple[Receiver, str]]:
    with grpc_receiver() as running:
        yield running


def arrived(receiver: Receiver, trace_id: str, name: str = "session") -> list[Span]:
    """The roots of a trace, once its last span is there."""
    wait_until(
        lambda: any(s.trace_id == trace_id and s.name == name for s in receiver.spans),
        f"{name} of {trace_id} has arrived",
    )
    return receiver.tree(trace_id)


def check_times(span: Span) -> None:
    """A span ends after it begins, and holds its children."""
    assert span.begun_ns <= span.ended_ns
    for child in span.children:
        assert span.begun_ns <= child.begun_ns
        assert child.ended_ns <= span.ended_ns
        check_times(child)


def env_for(endpoint: str, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **EXPORT_SOON, **more}


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
async def test_a_trace_goes_from_the_client_through_the_worker_and_back(
    launch: Launch, protocol: str
) -> None:
    serve: AbstractContextManager[tuple[Receiver, str]]
    serve = grpc_receiver() if protocol == "grpc" else http_receiver()
    with serve as (receiver, endpoint):
        env = env_for(endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
        server = launch(env=env)
        pids = {worker.pid for worker in server.workers()}
        traceparent = f"00-{TRACE}-{CALLER}-01"
        events = await stream_audio(server, beckett(), trace_id=traceparent, interim_results=True)
        assert events[0]["trace_id"] == TRACE
        (session,) = await asyncio.to_thread(arrived, receiver, TRACE)
    assert (session.name, session.parent_id) == ("session", CALLER)
    assert session.service == "streamer"
    assert session.attributes["session.id"] == events[0]["session_id"]
    assert session.attributes["url.path"] == "/api/v1/segmented"
    assert session.attributes["streamer.dialect"] == "native"
    check_times(session)
    stream = session.only("stream")
    assert stream.attributes["streamer.stream.segments"] == len(events_of(events, "segment"))
    assert stream.attributes["streamer.stream.audio_seconds"] == events[-1]["audio_seconds"]
    seconds = events[-1]["seconds"][0]
    for name in seconds.keys() - {"channel"}:
        assert stream.attributes[f"streamer.stream.{name}_seconds"] == seconds[name]
    segments = sorted(stream.all("segment"), key=lambda s: s.begun_ns)
    for span, event in zip(segments, events_of(events, "segment"), strict=True):
        check_segment(span, event, pids)
    sent = len(events_of(events, "interim"))
    assert sum(s.attributes["streamer.segment.interims"] for s in segments) == sent
    early = server.get("/api/v1/info").json()["inference"]["early_used"]
    assert sum(s.attributes["streamer.segment.early"] for s in segments) == early
    assert stream.attributes["streamer.model"] == "moonshine-tiny-en"
    assert "Ever tried" not in str(receiver.spans)


def check_segment(span: Span, event: Event, pids: set[int]) -> None:
    assert span.attributes["streamer.segment.start_time"] == event["start_time"]
    assert span.attributes["streamer.segment.end_time"] == event["end_time"]
    assert span.attributes["streamer.segment.outcome"] == "ok"
    assert not span.failed
    assert "inactive" in span.events
    queue, inference = span.only("queue"), span.only("inference")
    assert inference.attributes["process.pid"] in pids
    assert queue.ended_ns <= inference.begun_ns


async def test_a_bare_trace_id_becomes_that_of_the_root(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    server = launch({"model": {"type": "standin"}}, env=env_for(receiver[1]))
    await stream_audio(server, silence(1), "simple", trace_id=TRACE)
    (session,) = await asyncio.to_thread(arrived, receiver[0], TRACE)
    assert (session.name, session.parent_id) == ("session", "")


async def test_the_trace_of_the_upgrade_request_is_used_when_start_names_none(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    server = launch({"model": {"type": "standin"}}, env=env_for(receiver[1]))
    async with client(server, "simple", traceparent=f"00-{TRACE}-{CALLER}-01") as socket:
        await socket.start()
        await socket.send(silence(1).data)
        await socket.send_request("stop")
        await socket.events_until("stopped")
        other = TRACE[::-1]
        await socket.start(trace_id=other)
        await socket.send_request("stop", disconnect=True)
        await socket.events_until_close()
    (session,) = await asyncio.to_thread(arrived, receiver[0], TRACE)
    assert session.parent_id == CALLER
    assert len(session.all("stream")) == 1
    (stream,) = receiver[0].tree(other)
    assert (stream.name, stream.links) == ("stream", [TRACE])


async def test_a_client_that_does_not_keep_its_trace_is_not_traced(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    server = launch({"model": {"type": "standin"}}, env=env_for(receiver[1]))
    events = await stream_audio(server, silence(1), "simple", trace_id=f"00-{TRACE}-{CALLER}-00")
    assert events[0]["trace_id"] == TRACE
    await stream_audio(server, silence(1), "simple", trace_id=TRACE[::-1])
    await asyncio.to_thread(arrived, receiver[0], TRACE[::-1])
    assert not receiver[0].tree(TRACE)


async def test_a_worker_that_dies_leaves_a_span_that_says_so(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    model = {"type": "standin", "options": {"crash_rate": 1}}
    config = {"model": model, "inference": {"workers": 1}}
    server = launch(config, env=env_for(receiver[1]))
    events = await stream_audio(server, silence(1), "simple", trace_id=TRACE)
    assert [event["code"] for event in events_of(events, "error")] == ["worker_lost"]
    (session,) = await asyncio.to_thread(arrived, receiver[0], TRACE)
    check_times(session)
    segment = session.only("stream").only("segment")
    assert segment.failed
    assert segment.attributes["error.type"] == "worker_lost"
    attempts = segment.all("inference")
    assert [a.attributes["streamer.inference.outcome"] for a in attempts] == ["died", "died"]
    assert len({a.attributes["process.pid"] for a in attempts}) == 2
    assert all(a.failed and a.message == "the worker process died" for a in attempts)


async def test_errors_and_ends_without_stopped_are_recorded(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    server = launch({"model": {"type": "standin"}}, env=env_for(receiver[1]))
    async with client(server, "simple") as socket:
        await socket.start(trace_id=TRACE)
        await socket.events_until("started")
        await socket.send_text("{")
        await socket.events_until("error")
        socket.abort()
    (session,) = await asyncio.to_thread(arrived, receiver[0], TRACE)
    stream = session.only("stream")
    assert stream.failed
    assert stream.attributes["error.type"] == "bad_message"
    assert stream.attributes["streamer.stream.stopped"] is False


def test_a_session_that_fails_says_what_failed() -> None:
    ids, exporter = TraceIds(), InMemorySpanExporter()
    provider = TracerProvider(id_generator=ids, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = OtelTracer(provider, ids, time.monotonic, record_text=False)
    session = tracer.session("s", "websocket", "/api/v1/simple", "native")
    session.stream(TraceContext(TRACE), "m").end(None)
    defect = ExceptionGroup("tasks", [ExceptionGroup("tasks", [KeyError("odd")])])
    session.end(defect)
    (span,) = (span for span in exporter.get_finished_spans() if span.name == "session")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "KeyError"
    assert [event.name for event in span.events] == ["exception"]


async def test_a_request_is_traced_as_a_stream_is(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    received, endpoint = receiver
    server = launch({"model": {"type": "standin"}}, env=env_for(endpoint))
    header = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    body = wav(*recording("beckett.wav"))
    reply = await asyncio.to_thread(post, server, "/api/v1/analyze", body, headers=header)
    (request,) = await asyncio.to_thread(arrived, received, TRACE, "request")
    assert request.parent_id == CALLER
    assert request.attributes["url.path"] == "/api/v1/analyze"
    assert request.attributes["http.request.method"] == "POST"
    assert request.attributes["http.response.status_code"] == reply.status == 200
    assert not request.failed
    assert len(request.only("stream").all("segment")) == len(reply.json()["segments"])
    check_times(request)


@pytest.mark.parametrize(
    ("failure_rate", "longest_s", "status", "code"),
    [(0, 5, 413, "too_long"), (1, 60, 500, "inference_failed")],
)
async def test_a_request_without_a_result_says_why(
    launch: Launch,
    receiver: tuple[Receiver, str],
    failure_rate: int,
    longest_s: int,
    status: int,
    code: str,
) -> None:
    received, endpoint = receiver
    model = {"type": "standin", "options": {"failure_rate": failure_rate}}
    limits = {"max_recording_seconds": longest_s}
    server = launch({"model": model, "limits": limits}, env=env_for(endpoint))
    body = bytearray(wav(*recording("beckett.wav")))
    body[4:8] = body[40:44] = b"\xff" * 4  # as from a pipe, so its length is counted
    header = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    reply = await asyncio.to_thread(post, server, "/api/v1/analyze", bytes(body), headers=header)
    assert (reply.status, reply.json()["error"]["code"]) == (status, code)
    (request,) = await asyncio.to_thread(arrived, received, TRACE, "request")
    assert request.attributes["http.response.status_code"] == status
    assert request.attributes["error.type"] == code
    assert request.failed == (status >= 500)


async def test_text_is_recorded_only_where_it_is_asked_for(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    server = launch({"telemetry": {"record_text": True}}, env=env_for(receiver[1]))
    await stream_audio(server, beckett(), trace_id=TRACE)
    (session,) = await asyncio.to_thread(arrived, receiver[0], TRACE)
    said = [s.attributes["streamer.segment.output"] for s in session.only("stream").children]
    assert "tried" in " ".join(said)


def test_the_command_line_client_begins_the_trace_and_says_its_id(
    launch: Launch, receiver: tuple[Receiver, str]
) -> None:
    env = env_for(receiver[1])
    server = launch({"model": {"type": "standin"}}, env=env)
    address = f"ws://127.0.0.1:{server.port}/api/v1/segmented"
    recording = str(require("moonshine-tiny-en") / "beckett.wav")
    command = [sys.executable, "-m", "streamer_client", "-a", address, "-i", recording]
    done = subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=TIMEOUT_S
    )
    trace_id = done.stderr.split()[-1]
    (root,) = arrived(receiver[0], trace_id)
    assert (root.name, root.service, root.parent_id) == ("streamer-client", "streamer-client", "")
    session = root.only("session")
    assert session.service == "streamer"
    assert root.begun_ns <= session.begun_ns
    check_times(session)


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    maps = Path(f"/proc/{server.process.pid}/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    assert "grpc" not in maps.read_text()


def test_a_collector_that_is_not_there_costs_nothing_but_the_traces(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}}, env=env_for("http://127.0.0.1:9"))
    events = asyncio.run(stream_audio(server, silence(1), "simple"))
    assert events[-1]["segments"] == 1
    server.process.terminate()
    assert server.process.wait(TIMEOUT_S) == 0


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon", "grpc, http/protobuf"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, none"),
    ],
)
def test_a_wrong_variable_is_named(launch: Launch, name: str, value: str, allowed: str) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", name: value}
    server = launch({"model": {"type": "standin"}}, env=env, ready=False)
    assert server.process.wait(TIMEOUT_S) == 2
    assert server.log() == f"streamer: '{name}' is \"{value}\"; allowed: {allowed}\n"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "abc", "could not convert string to float: 'abc'"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip", 'Invalid value "zip"'),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "schedule_delay_millis must be positive"),
    ],
)
def test_what_opentelemetry_does_not_understand_is_said_in_one_line(
    launch: Launch, name: str, value: str, says: str
) -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", name: value}
    server = launch({"model": {"type": "standin"}}, env=env, ready=False)
    assert server.process.wait(TIMEOUT_S) == 2
    (line,) = server.log().splitlines()
    assert line.startswith("streamer: OpenTelemetry cannot use one of ")
    assert name in line
    assert says in line

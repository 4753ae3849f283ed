"""`/metrics`, as a scraper reads it."""

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from streamer.telemetry.prometheus import PrometheusMonitor
from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import analyze, analyzed
from tests.end_to_end.streams.containers import AUTO, speech
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import Audio, beckett, silence
from tools.harness.streams import client, events_of, stream_audio

STAGES = ("decode", "resample", "vad", "queue", "inference")


class Series(NamedTuple):
    name: str
    labels: frozenset[tuple[str, str]]


def scrape(server: Server) -> dict[Series, float]:
    reply = server.get("/metrics")
    assert reply.status == 200
    assert reply.headers["content-type"].startswith("text/plain")
    return {
        Series(sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(reply.text)
        for sample in family.samples
    }


def value(series: Mapping[Series, float], name: str, **labels: str) -> float:
    """The sum over all series of a name that have these labels."""
    wanted = labels.items()
    found = [
        number
        for each, number in series.items()
        if each.name == f"streamer_{name}" and wanted <= dict(each.labels).items()
    ]
    assert found, f"there is no {name} {labels}"
    return sum(found)


async def test_every_stage_and_the_worker_say_what_they_took(launch: Launch) -> None:
    server = launch({"inference": {"workers": 1}})
    audio = beckett()
    events = await stream_audio(server, audio, interim_results=True)
    series = await asyncio.to_thread(scrape, server)
    for stage in STAGES:
        assert value(series, "stage_processing_seconds_total", stage=stage) > 0
        assert value(series, "stage_real_time_factor_count", stage=stage) > 0
    for stage in ("decode", "resample"):
        heard_s = value(series, "stage_media_seconds_total", stage=stage)
        assert heard_s == pytest.approx(audio.seconds)
    segments = len(events_of(events, "segment"))
    assert value(series, "segments_total", outcome="ok") == segments
    assert value(series, "final_latency_seconds_count") == segments
    assert value(series, "segment_latency_seconds_count") == segments
    assert value(series, "interims_total") == len(events_of(events, "interim"))
    assert value(series, "inference_seconds_count", kind="final") >= segments
    assert value(series, "worker_cpu_seconds_total", worker="0") > 0
    assert value(series, "worker_peak_memory_bytes", worker="0") > 50e6
    assert value(series, "received_bytes_total") == len(audio.data)
    assert value(series, "received_audio_seconds_total") == pytest.approx(audio.seconds)
    assert value(series, "ready") == 1


def test_recordings_count_as_streams_do(launch: Launch) -> None:
    server = launch()
    recording = (require("moonshine-tiny-en") / "beckett.wav").read_bytes()
    analyzed(server, recording)
    series = scrape(server)
    assert value(series, "streams_total", route="recording") == 1
    assert value(series, "received_bytes_total") == len(recording)
    assert value(series, "received_audio_seconds_total") == pytest.approx(beckett().seconds)
    assert value(series, "segments_total", outcome="ok") == 6


def test_requests_are_seen_while_they_are_in_work(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"delay": 600}}})
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as connection:
        head = "POST /analyze_pcm_s16le HTTP/1.1\r\nHost: x\r\nContent-Length: 32000\r\n"
        kind = "Content-Type: application/octet-stream\r\n\r\n"
        connection.sendall(f"{head}{kind}".encode() + bytes(32_000))
        for name in ("sessions_open", "channels_open", "sessions_total"):
            _wait_for(server, name, 1, route="recording")
    for name in ("sessions_open", "channels_open"):
        _wait_for(server, name, 0, route="recording")


async def test_decoders_are_counted_and_how_they_fail(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    data = speech("WebM/Opus")
    async with client(server) as ended, client(server) as killed:
        for each in (ended, killed):
            await each.send_request("start", format=AUTO)
            await each.send(data[: len(data) // 2], (2_000,))
            await each.events_until("segment")
        series = await asyncio.to_thread(scrape, server)
        assert value(series, "decoders_running", decoded="stream") == 2
        assert value(series, "decoders_running", decoded="recording") == 0
        await ended.send_request("stop", disconnect=True)
        await ended.events_until_close()
        (process,) = server.decoders()
        process.kill()
        await killed.send(data[len(data) // 2 :])
        await killed.events_until("stopped")
    await asyncio.to_thread(analyzed, server, data)
    series = await asyncio.to_thread(scrape, server)
    assert value(series, "decoders_running") == 0
    assert value(series, "decoders_total", decoded="stream") == 2
    assert value(series, "decoders_total", decoded="recording") == 1
    assert value(series, "decoder_failures_total", decoded="stream", cause="stopped") == 1
    assert value(series, "decoder_failures_total") == 1


async def test_what_is_open_is_counted_while_it_is_open(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    async with client(server) as socket:
        await socket.start(Audio(b"", channels=2))
        await socket.events_until("started")
        series = await asyncio.to_thread(scrape, server)
        assert value(series, "sessions_open", route="segmented") == 1
        assert value(series, "channels_open", route="segmented") == 2
        assert value(series, "tasks_alive", subsystem="client") == 4
        assert value(series, "tasks_alive", subsystem="decode") == 1
        socket.abort()
    for name in ("sessions_open", "channels_open"):
        await asyncio.to_thread(_wait_for, server, name, 0)
    series = await asyncio.to_thread(scrape, server)
    assert value(series, "sessions_total") == value(series, "streams_total") == 1
    for subsystem in ("route", "client", "decode"):
        begun = value(series, "tasks_started_total", subsystem=subsystem)
        ended = value(series, "tasks_finished_total", subsystem=subsystem)
        assert begun == ended, "none has failed: the client was gone, which ends its tasks"
        assert value(series, "tasks_failed_total", subsystem=subsystem) == 0
        assert value(series, "tasks_alive", subsystem=subsystem) == 0


async def test_a_task_that_never_begins_is_not_counted() -> None:
    registry = CollectorRegistry()
    monitor = PrometheusMonitor(registry, {})
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(monitor.tracked("client", asyncio.sleep(3600))).cancel()
    gc.collect()  # a coroutine that was never awaited would be complained of here
    for name in ("started_total", "finished_total", "failed_total", "alive"):
        labels = {"subsystem": "client"}
        assert registry.get_sample_value(f"streamer_tasks_{name}", labels) == 0


async def test_failures_are_counted_by_what_they_are(launch: Launch) -> None:
    model = {"type": "standin", "options": {"crash_rate": 1}}
    server = launch({"model": model, "inference": {"workers": 1}})
    async with client(server, "simple") as socket:
        await socket.send_text("{")
        await socket.start(trace_id="none")
        await socket.send(silence(1).data)
        await socket.send_request("stop", disconnect=True)
        await socket.events_until_close()
    series = await asyncio.to_thread(scrape, server)
    assert value(series, "errors_total", code="bad_message") == 1
    assert value(series, "errors_total", code="worker_lost") == 1
    assert value(series, "warnings_total", code="bad_trace_id") == 1
    assert value(series, "segments_total", outcome="worker_lost") == 1
    assert value(series, "worker_restarts_total", cause="died") == 2


def test_requests_that_get_no_result_are_counted_once(launch: Launch) -> None:
    model = {"type": "standin", "options": {"failure_rate": 1}}
    limits = {"max_upload_bytes": 100_000, "max_concurrent_requests": 1}
    server = launch({"model": model, "limits": limits, "vad": {"engine": "webrtc"}})
    second = {"sample_rate": 16_000, "vad": "false"}
    assert analyze(server, bytes(200_000), **second).json()["error"]["code"] == "too_large"
    assert analyze(server, b"what is this").json()["error"]["code"] == "unsupported_media_type"
    assert analyze(server, bytes(32_000), **second).json()["error"]["code"] == "inference_failed"
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as other:
        other.sendall(b"POST /api/v1/analyze HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nRIFF")
        wait_until(
            lambda: analyze(server, bytes(32_000), **second).status == 503, "the slot is taken"
        )
    series = scrape(server)
    for code in ("too_large", "unsupported_media_type", "inference_failed", "overloaded"):
        assert value(series, "errors_total", code=code) >= 1, code
    assert value(series, "errors_total", code="inference_failed") == value(
        series, "segments_total", outcome="inference_failed"
    )


async def test_jobs_that_wait_are_seen(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "inference": {"workers": 1}})
    (worker,) = server.workers()
    os.kill(worker.pid, signal.SIGSTOP)
    async with client(server, "simple") as socket:
        await socket.start()
        await socket.send(silence(4).data)
        await asyncio.to_thread(_wait_for, server, "queue_depth", 3, kind="final")
        os.kill(worker.pid, signal.SIGCONT)
        await socket.send_request("stop", disconnect=True)
        await socket.events_until_close()
    await asyncio.to_thread(_wait_for, server, "queue_depth", 0, kind="final")


def test_a_latency_leads_to_its_trace(standin: Server) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    asyncio.run(stream_audio(standin, silence(1), "simple", trace_id=trace_id))
    accept = "application/openmetrics-text; version=1.0.0"
    reply = standin.get("/metrics", Accept=accept)
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    examples = {
        sample.exemplar.labels["trace_id"]
        for family in parse_openmetrics(reply.text)  # type: ignore[no-untyped-call]
        if family.name == "streamer_final_latency_seconds"
        for sample in family.samples
        if sample.exemplar
    }
    assert trace_id in examples


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=abc",
        "application/openmetrics-text; version=1.0.0; escaping=none",
        "text/plain; version=1.0.0.0.0",
        ";;q=,",
    ],
)
def test_an_accept_header_that_is_none_is_answered(standin: Server, accept: str) -> None:
    reply = standin.get("/metrics", Accept=accept)
    assert reply.status == 200
    assert "streamer_ready 1.0" in reply.text


async def test_clients_cannot_make_series(standin: Server) -> None:
    await stream_audio(standin, silence(1), "simple")
    before = set(await asyncio.to_thread(scrape, standin))
    async with client(standin, "simple") as socket:
        for number in range(300):
            await socket.start(trace_id=f"{number + 1:032x}")
            await socket.start(model=f"model-{number}")
            await socket.send_request(f"request-{number}", **{f"field-{number}": number})
            await socket.send(silence(0.01).data)
        await socket.send_request("stop", disconnect=True)
        await socket.events_until_close()
    assert set(await asyncio.to_thread(scrape, standin)) == before


def test_metrics_can_be_switched_off(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "telemetry": {"metrics": False}})
    asyncio.run(stream_audio(server, silence(1), "simple"))
    reply = server.get("/metrics")
    assert (reply.status, reply.json()) == (404, {"error": "telemetry.metrics is off"})


def _wait_for(server: Server, name: str, number: float, **labels: str) -> None:
    wait_until(lambda: value(scrape(server), name, **labels) == number, f"{name} is {number}")

"""When alerts fire, over as long as it takes in service: promtool plays the series."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from streamer.telemetry.metrics import LAGS_S, LATENCIES_S
from tests.needed import program
from tools.harness.monitoring import ROOT, alerts

LABELS = 'instance="a:8080", model="m"'
SCRAPES = 120
"""Half an hour."""


def counter(name: str, per_scrape: float, labels: str = "") -> tuple[str, str]:
    """A series that grows steadily."""
    return f"{name}{{{LABELS}{labels}}}", f"0+{per_scrape}x{SCRAPES}"


def gauge(name: str, value: float, labels: str = LABELS) -> tuple[str, str]:
    return f"{name}{{{labels}}}", f"{value}x{SCRAPES}"


def latencies(name: str, below: str, above: str) -> list[tuple[str, str]]:
    """Ten observations a scrape, all between two edges of buckets."""
    return [
        counter(name, 0, f', le="{below}"'),
        counter(name, 10, f', le="{above}"'),
        counter(name, 10, ', le="+Inf"'),
    ]


def inference(seconds: float, media: float, workers: float) -> list[tuple[str, str]]:
    return [
        counter("streamer_inference_seconds_sum", seconds, ', kind="final"'),
        counter("streamer_workers_busy_seconds_total", seconds),
        counter("streamer_inference_media_seconds_total", media, ', kind="final"'),
        gauge("streamer_workers_alive", workers),
    ]


def events(name: str, often: float, label: str, seldom: float, other: str) -> list[tuple[str, str]]:
    return [counter(name, often, f", {label}"), counter(name, seldom, f", {other}")]


Case = tuple[list[tuple[str, str]], list[tuple[str, str]], int]
"""Series of trouble, series of health, and the minutes until the alert fires at the latest."""

LAG, FINAL = "streamer_event_loop_lag_seconds_bucket", "streamer_final_latency_seconds_bucket"
BOUNDS_S = {LAG: LAGS_S, FINAL: LATENCIES_S}
SHED, OUTCOME = "streamer_interims_shed_total", "streamer_segments_total"
OK, FAILED = 'outcome="ok"', 'outcome="worker_lost"'
ERRORS, TASKS = "streamer_errors_total", "streamer_tasks_failed_total"
WORKERS = gauge("streamer_workers_wanted", 2)
RESTARTS = "streamer_worker_restarts_total"

CASES: dict[str, Case] = {
    "ServerDown": (
        [gauge("up", 0, 'job="streamer", instance="a:8080"')],
        [gauge("up", 1, 'job="streamer", instance="a:8080"')],
        2,
    ),
    "ServerNotReady": ([gauge("streamer_ready", 0)], [gauge("streamer_ready", 1)], 3),
    "WorkersMissing": (
        [gauge("streamer_workers_alive", 1), WORKERS],
        [gauge("streamer_workers_alive", 2), WORKERS],
        3,
    ),
    "WorkersRestart": (
        [counter(RESTARTS, 0.2, ', cause="died"')],
        [counter(RESTARTS, 1, ', cause="max_jobs"')],
        10,
    ),
    "EventLoopLags": (latencies(LAG, "0.25", "0.5"), latencies(LAG, "0.01", "0.02"), 7),
    "FinalsLate": (latencies(FINAL, "2", "3"), latencies(FINAL, "0.2", "0.3"), 7),
    "FinalsSlowerThanRealTime": (inference(15, 10, 4), inference(2, 10, 4), 7),
    "WorkersSaturated": (inference(29, 100, 2), inference(20, 100, 2), 15),
    "InterimsShed": (
        [counter(SHED, 5, ', reason="backlog"'), counter("streamer_interims_total", 5)],
        [counter(SHED, 1, ', reason="superseded"'), counter("streamer_interims_total", 9)],
        7,
    ),
    "ClientsRefused": (
        events(ERRORS, 0.1, 'code="overloaded"', 0, 'code="bad_message"'),
        events(ERRORS, 0, 'code="overloaded"', 9, 'code="bad_message"'),
        5,
    ),
    "SegmentsFail": (events(OUTCOME, 90, OK, 2, FAILED), events(OUTCOME, 1000, OK, 1, FAILED), 7),
    "InternalErrors": (
        events(ERRORS, 0.1, 'code="internal_error"', 0, 'code="bad_message"'),
        events(ERRORS, 0, 'code="internal_error"', 9, 'code="bad_message"'),
        5,
    ),
    "TasksFail": (
        events(TASKS, 0, 'subsystem="decode"', 0.1, 'subsystem="client"'),
        events(TASKS, 0, 'subsystem="decode"', 0, 'subsystem="client"'),
        5,
    ),
    "TracesAreLost": (
        [gauge("up", 0, 'job="otel-collector", instance="otel-collector:8888"')],
        [gauge("up", 1, 'job="otel-collector", instance="otel-collector:8888"')],
        6,
    ),
}


def test_every_alert_has_a_case() -> None:
    assert list(CASES) == [alert.name for alert in alerts()]


@pytest.mark.parametrize("name", CASES)
def test_an_alert_fires_in_trouble_and_only_then(name: str, tmp_path: Path) -> None:
    program("promtool", "prometheus")
    trouble, health, minutes = CASES[name]
    firing = f'count(ALERTS{{alertname="{name}", alertstate="firing"}})'
    everything = 'count(ALERTS{alertstate="firing"})'
    one = [{"labels": "{}", "value": 1}]
    tests = [
        _played(trouble, [(firing, f"{minutes}m", one)]),
        _played(health, [(everything, "30m", [])]),
    ]
    file = tmp_path / "tests.yml"
    rules = str(ROOT / "deploy/prometheus-rules.yml")
    file.write_text(yaml.safe_dump({"rule_files": [rules], "tests": tests}))
    found = subprocess.run(
        ["promtool", "test", "rules", file], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr


def _played(series: list[tuple[str, str]], expected: list[tuple[str, str, object]]) -> object:
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series],
        "promql_expr_test": [
            {"expr": query, "eval_time": time, "exp_samples": samples}
            for query, time, samples in expected
        ],
    }


def test_a_threshold_of_a_percentile_is_a_bound_of_its_histogram() -> None:
    """Between two bounds a percentile is estimated, so it could be on either side."""
    found = [
        (name, float(threshold))
        for alert in alerts()
        for name, threshold in re.findall(
            r"histogram_quantile.*rate\((\w+)\[.* > ([\d.]+)", alert.query
        )
    ]
    assert {name for name, _ in found} == BOUNDS_S.keys()
    assert all(threshold in BOUNDS_S[name] for name, threshold in found)

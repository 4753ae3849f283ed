"""What Prometheus makes of real servers, with this repository's rules and dashboards."""

import json
import math
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from PIL import Image

from tests.needed import program
from tests.operations.conftest import NEVER, READY, Monitored
from tools.docs.card import Span
from tools.docs.drawing import draw
from tools.harness.monitoring import DASHBOARDS, ROOT, Alert, Panel, PanelQuery, alerts, panels
from tools.harness.process import Server

pytestmark = pytest.mark.timeout(180)

GRAFANA = ROOT / "deploy/grafana/provisioning"
ALL = [
    pytest.param(panel, target, id=f"{path.stem}: {panel.title} {chr(65 + number)}")
    for path in sorted(DASHBOARDS.glob("*.json"))
    for panel in panels(path)
    for number, target in enumerate(panel.targets)
]
MOST = {"percentunit": 10.0, "s": 100.0, "cps": 1_000.0, "Bps": 1e8, "bytes": 1e10, "short": 1e5}
"""More than this is a wrong unit or a wrong query, whatever the load. `percentunit` may pass 1 for
a moment, because what a worker has done is counted when it is done."""

WITH_RAY = frozenset(
    {"Remote workers by machine", "Remote workers, by what they do", "Segments by machine"}
)
"""Panels of remote workers, which no server here has; tests/end_to_end/remote has some."""

DEFECTS = "streamer_tasks_failed_total"
"""Only a defect of the server shows there: not a client that goes, nor a model that fails."""


@pytest.mark.parametrize(("panel", "target"), ALL)
def test_every_panel_shows_something_plausible(
    panel: Panel, target: PanelQuery, monitored: Monitored
) -> None:
    found = monitored.values(target.resolved(monitored.source.rate_interval_s))
    if panel.title in WITH_RAY or DEFECTS in target.query:
        assert not any(map(any, found.values()))
        return
    values = [value for series in found.values() for value in series if not math.isnan(value)]
    if panel.kind == "heatmap":
        labels = {key for series in found for key, _ in series}
        assert labels == {"le"}
    assert values
    assert min(values) >= 0
    unit = "short" if panel.unit == "none" or panel.kind == "heatmap" else panel.unit
    assert max(values) <= MOST[unit]
    assert max(values) > 0 or panel.title == READY


def test_legends_name_labels_that_are_there(monitored: Monitored) -> None:
    for param in ALL:
        panel, target = param.values
        assert isinstance(panel, Panel)
        assert isinstance(target, PanelQuery)
        for series in monitored.values(target.resolved(monitored.source.rate_interval_s)):
            wanted = set(re.findall(r"{{(\w+)}}", target.legend))
            assert wanted <= {key for key, _ in series}, panel.title


def test_the_figures_are_those_of_the_load(monitored: Monitored) -> None:
    def most(query: str) -> dict[str, float]:
        """The highest value of each series, by its last label."""
        return {labels[-1][1]: max(v) for labels, v in monitored.values(query).items()}

    healthy = f'instance="127.0.0.1:{monitored.healthy.port}"'
    troubled = f'instance="127.0.0.1:{monitored.troubled.port}"'
    factor = "sum by (stage) (streamer_stage_{}_seconds_total{{{}}})"
    spent, heard = (most(factor.format(what, healthy)) for what in ("processing", "media"))
    assert set(spent) == set(heard) == {"decode", "resample", "vad", "queue", "inference"}
    assert spent["decode"] / heard["decode"] < spent["inference"] / heard["inference"]
    # Streams in containers are decoded elsewhere; how many there were depends on the machine.
    assert heard["vad"] < heard["resample"] == pytest.approx(heard["decode"], rel=0.4)

    inference = f'streamer_inference_seconds_sum{{{troubled}, kind="final"}}'
    media = f'streamer_inference_media_seconds_total{{{troubled}, kind="final"}}'
    (seconds,), (length,) = most(inference).values(), most(media).values()
    assert 1.3 < seconds / length < 2.5, "1.5 s, and up to a fifth more, for each second"

    outcomes = most(f"sum by (outcome) (streamer_segments_total{{{troubled}}})")
    assert outcomes["ok"] > 0
    assert outcomes["inference_failed"] > 0
    errors = most(f"sum by (code) (streamer_errors_total{{{troubled}}})")
    assert errors["bad_message"] > 0
    assert errors["too_large"] > 0
    assert errors["overloaded"] > 0
    assert errors["internal_error"] == 0
    assert errors["inference_failed"] == outcomes["inference_failed"]
    lost = most(f'streamer_segments_total{{{healthy}, outcome!="ok"}}')
    assert set(lost.values()) == {0.0}
    assert most(f'streamer_worker_restarts_total{{{troubled}, cause="died"}}')["standin"] >= 1
    assert most(f"streamer_workers_alive{{{troubled}}}") == {"standin": 2.0}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.name)
def test_every_alert_knows_trouble_from_health(rule: Alert, monitored: Monitored) -> None:
    (rule,) = (found for found in alerts(monitored.source.rules) if found.name == rule.name)
    measured = monitored.values(rule.measure)
    assert measured
    assert all(v >= 0 or math.isnan(v) for values in measured.values() for v in values)
    raised = {dict(labels).get("instance") for labels in monitored.values(rule.query)}
    if rule.name in NEVER:
        assert raised == set()
    else:
        assert raised
    late = {"FinalsLate", "WorkersSaturated", "InterimsShed", "EventLoopLags"}
    if rule.name not in {*late, "FinalsSlowerThanRealTime"}:  # those depend on the machine
        assert f"127.0.0.1:{monitored.healthy.port}" not in raised


def test_exemplars_lead_to_traces(monitored: Monitored) -> None:
    sources = yaml.safe_load((GRAFANA / "datasources/datasources.yaml").read_text())
    (prometheus, jaeger) = sources["datasources"]
    (destination,) = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    assert destination["datasourceUid"] == jaeger["uid"]
    for name in ("final_latency", "segment_latency"):
        series = monitored.source.exemplars(
            f"streamer_{name}_seconds_bucket", monitored.start_s, monitored.end_s
        )
        found = [exemplar["labels"] for each in series for exemplar in each["exemplars"]]
        assert found
        assert all(re.fullmatch("[0-9a-f]{32}", labels[destination["name"]]) for labels in found)


def test_the_choices_of_the_dashboards_are_there(monitored: Monitored) -> None:
    for path in DASHBOARDS.glob("*.json"):
        for variable in json.loads(path.read_text())["templating"]["list"]:
            query = variable["query"]["query"]
            found = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
            assert found is not None
            series = monitored.source.query(f"count by ({found[2]}) ({found[1]})")
            assert all(each["metric"][found[2]] for each in series)
            assert len(series) >= 2


def test_every_metric_is_shown_somewhere(monitored: Monitored) -> None:
    shown = "".join(path.read_text() for path in DASHBOARDS.glob("*.json"))
    families = set(re.findall(r"^# TYPE (streamer_\w+)", _scrape(monitored.healthy), re.MULTILINE))
    unseen = {name for name in families if name not in shown}
    assert unseen == set()


@pytest.mark.parametrize("server", ["healthy", "troubled"])
def test_promtool_finds_no_fault_with_the_metrics(server: str, monitored: Monitored) -> None:
    found = _promtool("check", "metrics", stdin=_scrape(getattr(monitored, server)))
    complaints = [
        line
        for line in found.stdout.splitlines() + found.stderr.splitlines()
        # The only name that is not ours: prometheus-client's own.
        if line and "process_virtual_memory_max_bytes" not in line
    ]
    assert complaints == []


@pytest.mark.parametrize("dashboard", sorted(DASHBOARDS.glob("*.json")), ids=lambda path: path.stem)
def test_a_dashboard_can_be_drawn(dashboard: Path, monitored: Monitored, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    span = Span(monitored.start_s, monitored.end_s)
    draw(panels(dashboard), monitored.source, span, picture)
    with Image.open(picture) as image:
        colours = image.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 20, "lines, areas and heat"


def test_promtool_finds_no_fault_with_the_files() -> None:
    program("promtool", "prometheus")
    assert _promtool("check", "config", "prometheus.yml").returncode == 0
    assert _promtool("check", "rules", "deploy/prometheus-rules.yml").returncode == 0


def _scrape(server: Server) -> str:
    return server.get("/metrics").text


def _promtool(*arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["promtool", *arguments],
        input=stdin,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

"""The files that run the whole: each names only what is there, and what its reader knows."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from streamer.config.schema import Config
from tools.harness.image import stages
from tools.harness.monitoring import DASHBOARDS, ROOT, alerts, panels

GUIDE = (ROOT / "docs/operations.md").read_text()

DOCUMENTED: dict[str, Any] = {
    # github.com/open-telemetry/opentelemetry-collector: the README of each component, config/*
    "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": str}, "http": {"endpoint": str}}}},
    "processors": {
        "memory_limiter": {
            "check_interval": str,
            "limit_mib": int,
            "spike_limit_mib": int,
            "limit_percentage": int,
            "spike_limit_percentage": int,
        },
        "batch": {"timeout": str, "send_batch_size": int, "send_batch_max_size": int},
    },
    "exporters": {
        "otlp": {
            "endpoint": str,
            "tls": {"insecure": bool},
            "retry_on_failure": {"enabled": bool, "max_elapsed_time": str},
            "sending_queue": {"enabled": bool, "queue_size": int},
        }
    },
    # github.com/open-telemetry/opentelemetry-collector-contrib: extension/healthcheckextension
    "extensions": {"health_check": {"endpoint": str}},
    # opentelemetry.io/docs/collector/internal-telemetry
    "service": {
        "extensions": list,
        "telemetry": {"logs": {"level": str}, "metrics": {"level": str, "readers": list}},
        "pipelines": {"traces": {"receivers": list, "processors": list, "exporters": list}},
    },
}


def load(path: str) -> dict[str, Any]:
    found = yaml.safe_load((ROOT / path).read_text())
    assert isinstance(found, dict)
    return found


def undocumented(found: dict[str, Any], known: dict[str, Any], where: str = "") -> list[str]:
    """The keys and types that the documentation does not know."""
    wrong = []
    for key, value in found.items():
        kind = known.get(key.partition("/")[0])  # a component may have a name: otlp/jaeger
        here = f"{where}{key}"
        if isinstance(kind, dict) and isinstance(value, dict):
            wrong += undocumented(value, kind, f"{here}.")
        elif not isinstance(kind, type) or not isinstance(value, kind):
            wrong.append(here)
    return wrong


def test_the_collector_is_configured_with_documented_keys() -> None:
    collector = load("otel-collector.yaml")
    assert undocumented(collector, DOCUMENTED) == []
    service = collector["service"]
    assert set(service["extensions"]) == set(collector["extensions"])
    for pipeline in service["pipelines"].values():
        assert pipeline["processors"] == ["memory_limiter", "batch"], "refuse first, then gather"
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) == set(collector[kind]), "defined and used"


def test_the_services_find_each_other() -> None:
    services = load("docker-compose.yml")["services"]
    collector = load("otel-collector.yaml")
    endpoint = services["server"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    received = collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert endpoint == f"http://otel-collector:{received.rpartition(':')[2]}"
    (exporter,) = collector["exporters"].values()
    (reader,) = collector["service"]["telemetry"]["metrics"]["readers"]
    jobs = {job["job_name"]: job for job in load("prometheus.yml")["scrape_configs"]}
    scraped = {
        name: job["static_configs"][0]["targets"]
        for name, job in jobs.items()
        if "static_configs" in job
    }
    (port,) = stages()[1].all("EXPOSE")
    (servers,) = jobs["streamer"]["dns_sd_configs"]
    # One name with an address for each of them, however many there are.
    assert (servers["names"], servers["type"], servers["port"]) == (["server"], "A", int(port))
    balancer = (ROOT / "deploy/haproxy-compose.cfg").read_text()
    assert f" server:{port} " in balancer
    assert services["balancer"]["ports"] == [f"127.0.0.1:8080:{port}"]
    assert "ports" not in services["server"], "a second server could not have the same"
    metrics_port = reader["pull"]["exporter"]["prometheus"]["port"]
    assert scraped["otel-collector"] == [f"otel-collector:{metrics_port}"]
    sources = load("deploy/grafana/provisioning/datasources/datasources.yaml")["datasources"]
    addresses = [source["url"] for source in sources]
    named = [endpoint, exporter["endpoint"], *addresses, *servers["names"]]
    assert {re.sub("^http://", "", address).partition(":")[0] for address in named} <= set(services)
    interval = load("prometheus.yml")["global"]["scrape_interval"]
    assert sources[0]["jsonData"]["timeInterval"] == interval


def test_there_is_room_for_all_uploads_at_once() -> None:
    server = load("docker-compose.yml")["services"]["server"]
    (mounted,) = server["tmpfs"]
    found = re.fullmatch(r"/tmp:size=(\d+)m,mode=1777", mounted)
    assert found is not None
    allowed = int(server["environment"]["STREAMER_LIMITS__MAX_UPLOAD_BYTES"])
    assert int(found[1]) << 20 > allowed * Config().limits.max_concurrent_requests


def test_every_service_has_no_more_rights_than_it_needs() -> None:
    compose = load("docker-compose.yml")
    built_in = ("otel-collector", "server")  # the one cannot, the other's is in the Dockerfile
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        version = "local" if "build" in service else r"v?\d+\.\d+\.\d+"
        assert re.fullmatch(rf"[\w./-]+:{version}", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert ("healthcheck" in service) == (name not in built_in), name
        for volume in service.get("volumes", ()):
            source, _, mode = volume.split(":") if volume.count(":") == 2 else (volume, "", "rw")
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert mode == "ro", source
    assert stages()[1].all("HEALTHCHECK")


def test_compose_accepts_its_file() -> None:
    compose = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run([*compose, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("there is no docker compose on this machine")
    checked = subprocess.run(
        [*compose, "config", "--quiet"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.stderr == ""
    assert checked.returncode == 0


def test_the_dashboards_hold_together() -> None:
    sources = load("deploy/grafana/provisioning/datasources/datasources.yaml")["datasources"]
    known = {source["uid"] for source in sources}
    boards = [json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")]
    uids = {board["uid"] for board in boards}
    assert len(uids) == len(boards)
    for board in boards:
        text = json.dumps(board)
        assert set(re.findall(r'"type": "prometheus", "uid": "(\w+)"', text)) <= known
        assert set(re.findall(r"/d/([\w-]+)", text)) <= uids
        variables = {variable["name"] for variable in board["templating"]["list"]}
        used = set(re.findall(r"\$(\w+)", text)) - {"__rate_interval"}
        assert used <= variables | {"__all"}
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        cells = [
            (x, y)
            for panel in board["panels"]
            for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
            for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        ]
        assert len(set(cells)) == len(cells), "panels lie over each other"
        assert all(panel["type"] == "row" or panel["description"] for panel in board["panels"])


def test_rates_look_over_enough_scrapes() -> None:
    for path in DASHBOARDS.glob("*.json"):
        for panel in panels(path):
            for target in panel.targets:
                ranges = re.findall(r"\[([^]]+)\]", target.query)
                assert set(ranges) <= {"$__rate_interval"}, panel.title
    scrape_s = int(load("prometheus.yml")["global"]["scrape_interval"].removesuffix("s"))
    minutes = re.findall(r"\[(\d+)m\]", (ROOT / "deploy/prometheus-rules.yml").read_text())
    assert minutes
    assert all(int(length) * 60 >= 4 * scrape_s for length in minutes)


def test_every_alert_says_what_to_do() -> None:
    headings = re.findall(r"^### (\w+)$", GUIDE.partition("## Alerts")[2], re.MULTILINE)
    assert headings == [alert.name for alert in alerts()]
    for group in load("deploy/prometheus-rules.yml")["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in {"page", "ticket"}
            assert set(rule["annotations"]) == {"summary", "description", "action", "runbook"}
            assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_the_guide_names_every_panel() -> None:
    titles = {panel.title for path in DASHBOARDS.glob("*.json") for panel in panels(path)}
    assert {title for title in titles if title not in GUIDE} == set()
    for path in DASHBOARDS.glob("*.json"):
        assert f"pictures/{path.stem}.png" in GUIDE
        assert (ROOT / f"docs/pictures/{path.stem}.png").stat().st_size < 200_000

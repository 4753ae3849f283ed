"""The monitoring that ships with the server, run for real: Prometheus, alerts, dashboards.

For the pictures in `docs/operations.md`, and for the tests. Time runs faster than in service: the
scrape interval, the ranges of the alerts' rates and the time until they fire are all divided by
the same number.
"""

import contextlib
import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.harness.ports import free_port

ROOT = Path(__file__).parents[2]
DASHBOARDS = ROOT / "deploy/grafana/dashboards"
RULES = "deploy/prometheus-rules.yml"
START_S = 30.0

Series = dict[str, Any]
"""As Prometheus answers: `metric` with its labels, and `value` or `values`."""

_UNITS_S = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"\b(\d+)([smh])\b")
_RANGE = re.compile(r"\[(\d+[smh])\]")


@dataclass(frozen=True)
class PanelQuery:
    """One query of a panel, and how Grafana names its series: `{{label}}` stands for a label."""

    query: str
    legend: str

    def resolved(self, rate_interval_s: float) -> str:
        """The query with everything chosen, and a window for rates."""
        query = self.query.replace("$__rate_interval", f"{round(rate_interval_s * 1000)}ms")
        return re.sub(r"\$\w+", ".+", query)


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard, or a row's heading, which has no targets."""

    title: str
    kind: str
    place: tuple[int, int, int, int]
    """x, y, width, height in Grafana's grid of 24 columns."""
    unit: str
    targets: tuple[PanelQuery, ...]
    model: Mapping[str, Any]
    """All of its JSON."""


def panels(dashboard: Path) -> list[Panel]:
    """What a dashboard's JSON file shows."""
    found = []
    for model in json.loads(dashboard.read_text())["panels"]:
        grid = model["gridPos"]
        targets = [PanelQuery(t["expr"], t["legendFormat"]) for t in model.get("targets", ())]
        place = (grid["x"], grid["y"], grid["w"], grid["h"])
        defaults = model.get("fieldConfig", {}).get("defaults", {})
        unit = model.get("options", {}).get("yAxis", {}).get("unit") or defaults.get("unit", "")
        found.append(Panel(model["title"], model["type"], place, unit, tuple(targets), model))
    return found


@dataclass(frozen=True)
class Alert:
    """An alerting rule: a measure, a comparison and a limit."""

    name: str
    query: str
    measure: str


def alerts(rules: Path = ROOT / RULES) -> list[Alert]:
    """The alerting rules of a file."""
    found = []
    for group in yaml.safe_load(rules.read_text())["groups"]:
        for rule in group["rules"]:
            query = " ".join(rule["expr"].split())
            comparison = re.fullmatch(r"(.*) [<>] [\d.]+", query)
            assert comparison is not None, f"{rule['alert']} does not compare with a number"
            found.append(Alert(rule["alert"], query, comparison[1]))
    return found


class Prometheus:
    """A running Prometheus. Use `prometheus()` to start one.

    Attributes:
        rate_interval_s: What `$__rate_interval` is in Grafana: four scrapes.
        servers: What pictures show for the addresses of servers.
    """

    def __init__(self, address: str, rate_interval_s: float, rules: Path) -> None:
        self.address = address
        self.rate_interval_s = rate_interval_s
        self.rules = rules
        self.servers: dict[str, str] = {}

    def query(self, query: str, at_s: float | None = None) -> list[Series]:
        """What a query answers now, or at a time."""
        return self._fetch("query", query=query, **({} if at_s is None else {"time": at_s}))

    def query_range(self, query: str, start_s: float, end_s: float, step_s: float) -> list[Series]:
        """What a query answers over time."""
        return self._fetch("query_range", query=query, start=start_s, end=end_s, step=step_s)

    def exemplars(self, query: str, start_s: float, end_s: float) -> list[Series]:
        """The exemplars of the series that a query names."""
        return self._fetch("query_exemplars", query=query, start=start_s, end=end_s)

    def firing(self) -> set[tuple[str, str]]:
        """Alerts that fire, each with its instance."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {(s["metric"]["alertname"], s["metric"].get("instance", "")) for s in found}

    def _fetch(self, what: str, **arguments: object) -> list[Series]:
        data = urllib.parse.urlencode(arguments).encode()
        url = f"{self.address}/api/v1/{what}"
        try:
            with urllib.request.urlopen(url, data, timeout=START_S) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as error:
            raise ValueError(f"{arguments}: {error.read().decode()}") from None
        data = answer["data"]
        found: list[Series] = data["result"] if isinstance(data, dict) else data
        return found


@contextlib.contextmanager
def prometheus(
    folder: Path, targets: Mapping[str, Sequence[str]], faster: float
) -> Iterator[Prometheus]:
    """Run Prometheus with this repository's configuration until the context ends.

    Args:
        folder: Where its files go.
        targets: What each job scrapes instead, `host:port`; a job that is not named scrapes
            nothing.
        faster: Divides all times.

    Raises:
        RuntimeError: It does not start.
    """
    config = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    scrape_s = _seconds(config["global"]["scrape_interval"]) / faster
    every = f"{round(scrape_s * 1000)}ms"
    config["global"] = dict.fromkeys(config["global"], every)
    for job in config["scrape_configs"]:
        job.pop("dns_sd_configs", None)
        job["static_configs"] = [{"targets": list(targets.get(job["job_name"], ()))}]
    rules = folder / RULES
    rules.parent.mkdir(parents=True)
    rules.write_text(_shortened((ROOT / RULES).read_text(), faster))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as run:
        try:
            running = Prometheus(f"http://127.0.0.1:{port}", 4 * scrape_s, rules)
            _wait_ready(run, running.address, log)
            yield running
        finally:
            run.terminate()


def _shortened(rules: str, faster: float) -> str:
    """Rules whose ranges, and times until they fire, are shorter."""

    def shorter(duration: re.Match[str]) -> str:
        return f"{round(_seconds(duration[0]) / faster * 1000)}ms"

    rules = _RANGE.sub(lambda found: f"[{_DURATION.sub(shorter, found[1])}]", rules)
    return re.sub(r"(?<=for: )\d+[smh]", lambda found: _DURATION.sub(shorter, found[0]), rules)


def _seconds(duration: str) -> float:
    found = _DURATION.fullmatch(duration)
    assert found is not None, duration
    return float(int(found[1]) * _UNITS_S[found[2]])


def _wait_ready(run: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while run.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/-/ready", timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Prometheus did not start: {log.read_text()}")

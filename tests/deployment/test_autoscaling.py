"""Both autoscalers of `deploy/`: right by their schemas, and right for this server."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config.schema import Config
from tests.deployment.files import DEPLOY, GUIDE
from tests.deployment.test_kubernetes import OBJECTS
from tests.deployment.tools import tool
from tools.harness.process import Server

HPA_FILE, KEDA_FILE = DEPLOY / "kubernetes-hpa.yaml", DEPLOY / "keda.yaml"
HPA: dict[str, Any] = yaml.safe_load(HPA_FILE.read_text())
KEDA: dict[str, Any] = yaml.safe_load(KEDA_FILE.read_text())
OF_KEDA: dict[str, Any] = KEDA["spec"]["advanced"]["horizontalPodAutoscalerConfig"]
RATIO, WAIT = "streamer_sessions_used_ratio", "streamer_queue_wait_seconds"

DOCUMENTED: dict[str, type] = {
    # https://keda.sh/docs/2.17/reference/scaledobject-spec/
    "scaleTargetRef": dict,
    "minReplicaCount": int,
    "maxReplicaCount": int,
    "pollingInterval": int,
    "cooldownPeriod": int,
    "fallback": dict,
    "triggers": list,
    "advanced": dict,
}
# https://keda.sh/docs/2.17/scalers/prometheus/
OF_PROMETHEUS = {"serverAddress", "query", "threshold", "activationThreshold", "namespace"}


def validated(file: Path) -> None:
    command = [tool("kubernetes-validate"), "--strict", str(file)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def behaviours() -> list[dict[str, Any]]:
    return [HPA["spec"]["behavior"], OF_KEDA["behavior"]]


def test_the_autoscaler_fits_the_schema() -> None:
    validated(HPA_FILE)


def test_what_keda_makes_of_its_object_fits_the_schema(tmp_path: Path) -> None:
    """KEDA's own definition is not among Kubernetes' schemas: its documented keys are here."""
    spec = KEDA["spec"]
    assert (KEDA["apiVersion"], KEDA["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
    assert {key for key, value in spec.items() if not isinstance(value, DOCUMENTED[key])} == set()
    assert spec["fallback"].keys() == {"failureThreshold", "replicas"}
    for trigger in spec["triggers"]:
        assert trigger.keys() == {"type", "metadata"}
        assert trigger["type"] == "prometheus"
        assert trigger["metadata"].keys() <= OF_PROMETHEUS
        # Kubernetes passes it on as text.
        assert isinstance(trigger["metadata"]["threshold"], str)
    made = {**HPA, "spec": {**HPA["spec"], "behavior": OF_KEDA["behavior"]}}
    file = tmp_path / "hpa.yaml"
    file.write_text(yaml.safe_dump(made))
    validated(file)


def test_both_scale_the_deployment_alike() -> None:
    deployment = OBJECTS["Deployment"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "streamer"}
    assert HPA["spec"]["scaleTargetRef"] == reference
    assert KEDA["spec"]["scaleTargetRef"] == {"name": reference["name"]}
    assert deployment["metadata"]["name"] == reference["name"]
    assert HPA["spec"]["minReplicas"] == KEDA["spec"]["minReplicaCount"]
    assert HPA["spec"]["maxReplicas"] == KEDA["spec"]["maxReplicaCount"]
    assert HPA["spec"]["behavior"] == OF_KEDA["behavior"]
    assert HPA["spec"]["minReplicas"] > OBJECTS["PodDisruptionBudget"]["spec"]["maxUnavailable"]


@pytest.mark.parametrize("behaviour", behaviours(), ids=["hpa", "keda"])
def test_pods_are_removed_slowly(behaviour: dict[str, Any]) -> None:
    down = behaviour["scaleDown"]
    assert down["stabilizationWindowSeconds"] >= 300
    (policy,) = down["policies"]
    assert (policy["type"], policy["value"]) == ("Pods", 1)
    # The next one goes when the one before has drained, and its clients are somewhere else.
    grace_s = OBJECTS["Deployment"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert policy["periodSeconds"] > grace_s > Config().limits.drain_seconds


def test_the_metrics_are_the_servers(standin: Server) -> None:
    scraped = standin.get("/metrics").text
    gauges = set(re.findall(r"^# TYPE (streamer_\w+) gauge$", scraped, re.MULTILINE))
    named = {metric["pods"]["metric"]["name"] for metric in HPA["spec"]["metrics"]}
    assert named == {RATIO, WAIT}
    assert named <= gauges
    asked = " ".join(trigger["metadata"]["query"] for trigger in KEDA["spec"]["triggers"])
    assert set(re.findall(r"streamer_\w+", asked)) == named
    assert all(name in GUIDE for name in named)
    # The rule of prometheus-adapter makes them known.
    (series,) = re.findall(r"seriesQuery: '(.*)'", HPA_FILE.read_text())
    (pattern,) = re.findall(r'__name__=~"([^"]*)"', series)
    assert all(re.fullmatch(pattern, name) for name in named)


def test_the_targets_leave_room() -> None:
    """A new pod is needed before places run out, and before clients are refused."""
    ratio, wait = (metric["pods"]["target"]["averageValue"] for metric in HPA["spec"]["metrics"])
    of_keda = [float(trigger["metadata"]["threshold"]) for trigger in KEDA["spec"]["triggers"]]
    found = [int(text.removesuffix("m")) / 1_000 for text in (ratio, wait)]
    assert found == of_keda
    assert found[0] < 0.8
    assert found[1] < Config().limits.max_queue_seconds / 2

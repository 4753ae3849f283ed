"""`deploy/kubernetes.yaml`: right by Kubernetes' own schema, and right for this server."""

import subprocess
from typing import Any

import yaml

from streamer.config.schema import Config
from streamer.config.sources import load_config
from tests.deployment.files import DEPLOY
from tests.deployment.tools import tool
from tools.harness.process import Server

PATH = DEPLOY / "kubernetes.yaml"
OBJECTS: dict[str, Any] = {found["kind"]: found for found in yaml.safe_load_all(PATH.read_text())}
POD: dict[str, Any] = OBJECTS["Deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
PROBES = [probe for name, probe in CONTAINER.items() if name.endswith("Probe")]


def test_it_fits_the_schema() -> None:
    command = [tool("kubernetes-validate"), "--strict", str(PATH)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr.count("passed") + run.stdout.count("passed") == len(OBJECTS) == 3


def test_everything_selects_the_same_pods() -> None:
    labels = POD["metadata"]["labels"]
    assert OBJECTS["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["Service"]["spec"]["selector"] == labels


def test_the_environment_is_one_that_the_server_takes() -> None:
    from_elsewhere = {"STREAMER_INFERENCE__WORKERS": "2", "STREAMER_TOKENS": "secret"}
    environment = {
        one["name"]: one["value"] if "value" in one else from_elsewhere[one["name"]]
        for one in CONTAINER["env"]
    }
    config = load_config(None, environment, {})
    (port,) = CONTAINER["ports"]
    assert (config.server.host, config.server.port) == ("0.0.0.0", port["containerPort"])
    assert (config.inference.workers, config.access.tokens) == (2, ("secret",))
    (service_port,) = OBJECTS["Service"]["spec"]["ports"]
    assert service_port["targetPort"] == port["name"]
    assert {probe["httpGet"]["port"] for probe in PROBES} == {port["name"]}
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(port["containerPort"])


def test_there_is_time_to_drain() -> None:
    pause_s = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > pause_s + Config().limits.drain_seconds
    # Not ready long before the last of it, so that nobody new is sent here.
    ready = CONTAINER["readinessProbe"]
    assert ready["periodSeconds"] * ready["failureThreshold"] <= pause_s


def test_the_probes_ask_what_there_is(standin: Server) -> None:
    paths = {probe["httpGet"]["path"] for probe in PROBES}
    paths.add(POD["metadata"]["annotations"]["prometheus.io/path"])
    assert {path: standin.get(path).status for path in paths} == dict.fromkeys(paths, 200)


def test_it_has_no_rights() -> None:
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert POD["spec"]["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounted = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert mounted == {"tmp": "/tmp", "shm": "/dev/shm"}  # all that it writes to
    assert {volume["name"] for volume in POD["spec"]["volumes"]} == mounted.keys()


def test_uploads_find_room() -> None:
    limits = Config().limits
    volume = next(v for v in POD["spec"]["volumes"] if v["name"] == "tmp")
    room = int(volume["emptyDir"]["sizeLimit"].removesuffix("Gi")) * 2**30
    assert room > limits.max_upload_bytes * limits.max_concurrent_requests


def test_what_is_promised_to_it_is_what_it_may_have() -> None:
    assert CONTAINER["resources"]["limits"] == CONTAINER["resources"]["requests"]

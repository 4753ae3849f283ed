"""`deploy/ray/`: servers with a node beside each, and the cluster that they use."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.config.schema import Config
from streamer.config.sources import load_config
from tests.deployment.files import DEPLOY, ROOT
from tests.deployment.tools import tool
from tools.harness.image import stages

RAY = DEPLOY / "ray"
LOCKED = re.findall(r"^ray==(\S+) ", (ROOT / "requirements/ray.lock").read_text(), re.MULTILINE)


def objects(name: str) -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all((RAY / name).read_text())}


CLUSTER: dict[str, Any] = objects("cluster.yaml")["RayCluster"]
POLICY: dict[str, Any] = objects("cluster.yaml")["NetworkPolicy"]
POD: dict[str, Any] = objects("server.yaml")["Deployment"]["spec"]["template"]
(SERVER,) = POD["spec"]["containers"]
(NODE,) = POD["spec"]["initContainers"]
GROUPS = [CLUSTER["spec"]["headGroupSpec"], *CLUSTER["spec"]["workerGroupSpecs"]]
NODES = [one for group in GROUPS for one in group["template"]["spec"]["containers"]]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "from elsewhere") for one in container["env"]}


@pytest.mark.parametrize("kind", ["Deployment", "Service", "NetworkPolicy"])
def test_what_is_of_kubernetes_fits_its_schema(kind: str, tmp_path: Path) -> None:
    found = {**objects("server.yaml"), **objects("cluster.yaml")}[kind]
    file = tmp_path / "object.yaml"
    file.write_text(yaml.safe_dump(found))
    command = [tool("kubernetes-validate"), "--strict", str(file)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_server_finds_the_head_and_has_settings_that_it_takes() -> None:
    config = load_config(None, environment(SERVER), {})
    remote = config.model.remote
    assert remote is not None
    head = f"{CLUSTER['metadata']['name']}-head-svc:6379"  # KubeRay names the service so
    assert remote.address == head
    assert f"--address={head}" in NODE["command"]
    assert "--num-cpus=0" in NODE["command"]
    assert config.inference.workers == 1


GUIDE = (ROOT / "docs/ray.md").read_text()


@pytest.mark.parametrize(
    "text", re.findall(r"^```json\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
)
def test_a_configuration_of_the_page_is_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    remote = load_config(tmp_path / "config.json", {}, {}).model.remote
    assert remote is not None
    assert remote.address == "ray-head:6379"


def test_the_commands_of_the_page_use_the_files_that_there_are() -> None:
    (commands,) = re.findall(r"^```console\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert [line[:2] for line in commands.splitlines()] == ["$ "] * 3
    named = re.findall(r"deploy/\S+", commands)
    assert {ROOT / name for name in named} == {
        RAY / name for name in ("Dockerfile", "cluster.yaml", "server.yaml")
    }


def test_the_server_and_its_node_see_each_other() -> None:
    assert POD["spec"]["shareProcessNamespace"] is True
    assert NODE["volumeMounts"] == SERVER["volumeMounts"]
    assert {mount["mountPath"] for mount in NODE["volumeMounts"]} == {"/tmp", "/dev/shm"}
    assert NODE["restartPolicy"] == "Always", "it ends after the server"


def test_all_machines_have_one_image_and_report_nothing() -> None:
    assert {one["image"] for one in (SERVER, NODE, *NODES)} == {"streamer-ray:latest"}
    assert {environment(one)["RAY_USAGE_STATS_ENABLED"] for one in (NODE, *NODES)} == {"0"}
    image = (RAY / "Dockerfile").read_text()
    assert "RAY_USAGE_STATS_ENABLED=0" in image
    assert "requirements/ray.lock" in image
    assert "!requirements/ray.lock" in (RAY / "Dockerfile.dockerignore").read_text().splitlines()
    assert [CLUSTER["spec"]["rayVersion"]] == LOCKED


def test_the_image_with_ray_starts_as_the_servers_does() -> None:
    final, server = stages(RAY / "Dockerfile")[-1], stages()[-1]
    assert server.environment.items() <= final.environment.items()
    for instruction in ("USER", "WORKDIR", "EXPOSE", "STOPSIGNAL", "ENTRYPOINT"):
        assert final.all(instruction) == server.all(instruction)
    release = stages()[0].base
    assert {one.base for one in stages(RAY / "Dockerfile")} == {release, "streamer:latest"}


def test_only_the_cluster_and_the_servers_reach_rays_ports() -> None:
    assert POLICY["spec"]["podSelector"]["matchLabels"] == {
        "ray.io/cluster": CLUSTER["metadata"]["name"]
    }
    (rule,) = POLICY["spec"]["ingress"]
    chosen = [one["podSelector"]["matchLabels"] for one in rule["from"]]
    assert POD["metadata"]["labels"] in chosen


def test_there_is_time_to_drain() -> None:
    pause_s = SERVER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["spec"]["terminationGracePeriodSeconds"] > pause_s + Config().limits.drain_seconds

"""`model.remote`: what each remote worker reserves, as Ray takes it."""

import json
from pathlib import Path

import pytest

from streamer.config.sources import SettingsError, load_config


def load(folder: Path, **remote: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({"model": {"remote": {"address": "ray-head:6379", **remote}}}))
    load_config(path, {}, {})


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("CPU", "use 'num_cpus'"),
        ("GPU", "use 'num_gpus'"),
        ("memory", "use 'num_cpus', or a name of your own"),
        ("object_store_memory", "leave it out"),
        ("bundle", "use another name"),
    ],
)
def test_a_name_that_ray_keeps_for_itself_is_refused(
    tmp_path: Path, name: str, instead: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, resources={"fast": 1, name: 1})
    message = str(caught.value)
    assert "'model.remote': 'resources' is" in message
    assert f'"{name}": 1' in message
    assert f"Ray keeps the name '{name}' for itself: {instead}" in message


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"num_gpus": 2.25}, "'num_gpus' is 2.25; allowed: 0 to 1, or a whole number above"),
        ({"num_gpus": 0.00005}, "'num_gpus' is 5e-05; allowed: 0, or at least 0.0001"),
        ({"num_cpus": 0.00005}, "'num_cpus' is 5e-05; allowed: 0, or at least 0.0001"),
        ({"resources": {"fast": 0.00005}}, "'resources.fast' is 5e-05; allowed: 0, or at least"),
    ],
)
def test_an_amount_that_ray_cannot_count_is_refused(
    tmp_path: Path, settings: dict[str, object], field: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **settings)
    assert field in str(caught.value)


def test_what_ray_takes_is_allowed(tmp_path: Path) -> None:
    load(tmp_path, num_cpus=0, num_gpus=0.5, resources={"node:10.0.0.7": 0.001, "gpu": 2, "x": 0})
    load(tmp_path, num_cpus=16, num_gpus=2)
    load(tmp_path, num_cpus=1.5, resources={"fast": 2.5})

"""Small ONNX files that say what they were given."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

Make = Callable[..., Path]
Shape = Sequence[int | str | None]

FLOAT = onnx.TensorProto.FLOAT
SCORES = ["mean", "peak"]
SETTINGS = {"scores": SCORES}


def nodes_for_statistics() -> list[onnx.NodeProto]:
    """The mean and the largest sample of each waveform: [batch, samples] -> [batch, 2]."""
    return [
        helper.make_node("ReduceMean", ["waveform", "time"], ["mean"]),
        helper.make_node("ReduceMax", ["waveform", "time"], ["peak"]),
        helper.make_node("Concat", ["mean", "peak"], ["scores"], axis=1),
    ]


def write_network(
    path: Path,
    *,
    inputs: dict[str, tuple[int, Shape]] | None = None,
    outputs: dict[str, tuple[int, Shape]] | None = None,
    nodes: Sequence[onnx.NodeProto] | None = None,
) -> None:
    graph = helper.make_graph(
        list(nodes or nodes_for_statistics()),
        "test",
        [
            helper.make_tensor_value_info(name, *what)
            for name, what in (inputs or {"waveform": (FLOAT, ["batch", "samples"])}).items()
        ],
        [
            helper.make_tensor_value_info(name, *what)
            for name, what in (outputs or {"scores": (FLOAT, ["batch", 2])}).items()
        ],
        [numpy_helper.from_array(np.array([1]), "time")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)


@pytest.fixture
def classifier(tmp_path: Path) -> Make:
    """Write a folder with a `model.json` and a network; returns the folder."""

    def make(network: dict[str, Any] | None = None, rate: int = 1000, **settings: Any) -> Path:
        folder = tmp_path / "my-folder"
        folder.mkdir(exist_ok=True)
        write_network(folder / "model.onnx", **(network or {}))
        manifest = {
            "name": "mine",
            "kind": "classifier",
            "sample_rate": rate,
            "classifier": SETTINGS | settings,
        }
        (folder / "model.json").write_text(json.dumps(manifest))
        return folder

    return make

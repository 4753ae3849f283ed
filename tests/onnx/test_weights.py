"""The weights of an ONNX file, beside what the package `onnx` reads; and files that are none."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from streamer.onnx.weights import read_weights
from streamer.weights.manifest import require


@pytest.fixture
def silero() -> Path:
    return require("silero-vad") / "silero_vad_16k_op15.onnx"


def test_the_same_tensors_as_the_package_reads(silero: Path) -> None:
    graph = onnx.load(silero).graph
    expected = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = read_weights(silero)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, expected[name], strict=True)


def test_other_types_are_left_out(tmp_path: Path) -> None:
    tensors = {
        "a": np.arange(300, dtype=np.float32).reshape(3, 100),
        "scalar": np.array(1.5, np.float32),
        "empty": np.zeros((0, 4), np.float32),
        "counts": np.arange(5),
    }
    initializers = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(helper.make_graph([], "g", [], [], initializers)), path)
    found = read_weights(path)
    assert set(found) == {"a", "scalar", "empty"}
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, tensors[name], strict=True)


def test_weights_that_are_not_in_the_file_are_left_out(tmp_path: Path) -> None:
    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    outside.data_location = TensorProto.EXTERNAL
    path = tmp_path / "model.onnx"
    graph = helper.make_graph([], "g", [], [], [outside, numpy_helper.from_array(np.ones(1), "d")])
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert read_weights(path) == {}


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a\x00", b"\x3a\xff", b"\x0b"])
def test_what_is_no_model_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.onnx"):
        read_weights(path)


@given(cut=st.floats(0, 0.999))
def test_a_file_that_breaks_off_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, cut: float
) -> None:
    whole = (require("silero-vad") / "silero_vad_16k_op15.onnx").read_bytes()
    path = tmp_path_factory.mktemp("broken") / "broken.onnx"
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(ValueError, match=r"broken\.onnx"):
        read_weights(path)

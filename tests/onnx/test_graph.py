"""What is written is read again by the package `onnx`, and computed by ONNX Runtime."""

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from onnx import helper, numpy_helper

from streamer.onnx.graph import FLOAT, MICROSOFT, Array, Graph
from streamer.onnx.runtime import open_network


@given(
    st.sampled_from([np.float32, np.uint8, np.int8, np.int64]).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=0, min_side=0))
    )
)
def test_constants_are_what_they_were(values: Array) -> None:
    graph = Graph()
    name = graph.constant(values)
    (tensor,) = onnx.load_model_from_string(graph.model({}, {})).graph.initializer
    assert tensor.name == name
    read = numpy_helper.to_array(tensor)
    assert (read.dtype, read.shape) == (values.dtype, values.shape)
    assert read.tobytes() == values.tobytes()


@given(st.integers(-(2**63), 2**63 - 1), st.floats(width=32, allow_nan=False), st.text())
def test_attributes_are_what_they_were(number: int, fraction: float, text: str) -> None:
    graph = Graph()
    several = [number, 0, -1]
    graph.add("Anything", "a", domain=MICROSOFT, n=number, f=fraction, t=text, s=several)
    (node,) = onnx.load_model_from_string(graph.model({}, {})).graph.node
    assert (node.op_type, node.domain, list(node.input)) == ("Anything", MICROSOFT, ["a"])
    read = {each.name: helper.get_attribute_value(each) for each in node.attribute}
    assert read == {"n": number, "f": fraction, "t": text.encode(), "s": several}


@pytest.mark.parametrize("length", [0, 1, 1000])
def test_a_graph_is_a_model(length: int) -> None:
    graph = Graph()
    graph.add_many("Mul", ["a", graph.constant(np.full(1, 2, np.float32))], ["twice"])
    model = graph.model({"a": FLOAT}, {"twice": FLOAT})
    samples = np.arange(length, dtype=np.float32)
    (twice,) = open_network(model).run(None, {"a": samples})
    np.testing.assert_array_equal(twice, 2 * samples)

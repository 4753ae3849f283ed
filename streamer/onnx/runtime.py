"""Sessions of ONNX Runtime, and which products of integers this processor computes right."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from streamer.onnx.graph import FLOAT, MICROSOFT, Graph

_WIDTH = 288
"""Rows and columns of the matrix that is tried: as wide as Moonshine's states."""


class OnnxSession(Protocol):
    """`onnxruntime.InferenceSession`, as far as it is used here."""

    def run(
        self, outputs: Sequence[str] | None, inputs: Mapping[str, npt.NDArray[np.generic]]
    ) -> Sequence[npt.NDArray[np.generic]]:
        """The outputs with these names. None = all."""
        ...

    def get_inputs(self) -> Sequence[Any]:
        """The inputs, each with a name, a type and a shape."""
        ...

    def get_outputs(self) -> Sequence[Any]:
        """The outputs, each with a name, a type and a shape."""
        ...


def open_network(model: bytes | Path, threads: int = 1) -> OnnxSession:
    """A session that runs the model on the CPU.

    Args:
        model: What `Graph.model` returns, or a file.
        threads: Threads within one inference.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return cast("OnnxSession", session)


def supports_int8_products() -> bool:
    """Whether matrix products of uint8 and int8 are exact on this processor.

    Processors without VNNI add such products with saturation, and the sums are wrong. This tries
    the largest values, 255 times 127. See "quantization on CPU" in
    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """
    graph = Graph()
    largest = graph.constant(np.full((_WIDTH, _WIDTH), 127, np.int8))
    scale, zero_point = graph.constant(np.ones(1, np.float32)), graph.constant(np.zeros(1, np.int8))
    graph.add_many(
        "DynamicQuantizeMatMul", ["states", largest, scale, zero_point], ["sums"], MICROSOFT
    )
    session = open_network(graph.model({"states": FLOAT}, {"sums": FLOAT}))
    # ONNX Runtime has different code for one row and for several.
    inputs = [{"states": np.ones((rows, _WIDTH), np.float32)} for rows in (1, 2, 32)]
    return all(np.allclose(session.run(None, each)[0], 127 * _WIDTH) for each in inputs)

"""ONNX Runtime, and what it does well on this processor."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from streamer.onnx.graph import FLOAT, MICROSOFT, Graph

WIDTH = 288


class Session(Protocol):
    """Of ONNX Runtime, as far as it is used here."""

    def run(
        self, outputs: Sequence[str] | None, inputs: Mapping[str, npt.NDArray[np.generic]]
    ) -> Sequence[npt.NDArray[np.generic]]:
        """The outputs of these names; None is for all."""
        ...

    def get_inputs(self) -> Sequence[Any]:
        """What it takes, each with a name, a type and a shape."""
        ...

    def get_outputs(self) -> Sequence[Any]:
        """What it gives."""
        ...


def load(model: bytes | Path, threads: int = 1) -> Session:
    """A session on the processor.

    Args:
        model: As `Graph.model` makes it, or a file.
        threads: Within one inference.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    source = str(model) if isinstance(model, Path) else model
    session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    return cast("Session", session)


def sums_int8() -> bool:
    """Whether products of uint8 and int8 come out right: not where their sums saturate.

    Tried with the largest there are, 255 times 127; see "quantization on CPU" in
    https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html
    """
    graph = Graph()
    largest = graph.constant(np.full((WIDTH, WIDTH), 127, np.int8))
    scale, zero_point = graph.constant(np.ones(1, np.float32)), graph.constant(np.zeros(1, np.int8))
    graph.add_many(
        "DynamicQuantizeMatMul", ["states", largest, scale, zero_point], ["sums"], MICROSOFT
    )
    session = load(graph.model({"states": FLOAT}, {"sums": FLOAT}))
    # One row, and several, are added by different code.
    given = [{"states": np.ones((rows, WIDTH), np.float32)} for rows in (1, 2, 32)]
    return all(np.allclose(session.run(None, each)[0], 127 * WIDTH) for each in given)

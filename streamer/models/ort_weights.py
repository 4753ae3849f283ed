"""The weights in a file of ONNX Runtime's own format (`.ort`), by the names of what uses them.

The format is a FlatBuffers table, which ONNX Runtime brings the reader for:
https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/flatbuffers/schema/ort.fbs
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPES = {1: np.float32, 2: np.uint8}
"""By TensorProto.DataType; a model's weights have no others."""

Array = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Quantized:
    """A matrix: `scale * (values - zero_point)`."""

    values: Array
    """uint8 [inputs, outputs]."""
    scale: Array
    zero_point: Array
    bias: Array | None
    """float32 [outputs], if it is added to the product."""


class Weights:
    """Of one file.

    Args:
        path: The file.

    Raises:
        ValueError: It is not such a file.
    """

    def __init__(self, path: Path) -> None:
        # Here, as nobody else needs it, and it is large.
        from onnxruntime.tools.ort_format_model.ort_flatbuffers_py.fbs import InferenceSession

        content = path.read_bytes()
        session = InferenceSession.InferenceSession
        if not session.InferenceSessionBufferHasIdentifier(content, 0):
            raise ValueError(f"{path} is not a model in ONNX Runtime's own format")
        self._tensors: dict[str, Array] = {}
        self._inputs: dict[str, list[str]] = {}
        self._read(session.GetRootAsInferenceSession(content, 0).Model().Graph())

    def __getitem__(self, tensor: str) -> Array:
        """A tensor by its own name."""
        return self._tensors[tensor]

    def matrix(self, node: str) -> Quantized:
        """What the product of this name multiplies with, and adds."""
        names = [name for name in self._inputs[f"{node}/MatMul_quant"] if name in self._tensors]
        values, scale, zero_point, *bias = (self._tensors[name] for name in names)
        return Quantized(values, scale, zero_point, bias[0] if bias else None)

    def _read(self, graph: Any) -> None:  # noqa: ANN401 - generated classes, without types
        for tensor in map(graph.Initializers, range(graph.InitializersLength())):
            if dtype := DTYPES.get(tensor.DataType()):
                shape = [tensor.Dims(axis) for axis in range(tensor.DimsLength())]
                values = tensor.RawDataAsNumpy().view(dtype).reshape(shape)
                self._tensors[tensor.Name().decode()] = values
        for node in map(graph.Nodes, range(graph.NodesLength())):
            inputs = [node.Inputs(place).decode() for place in range(node.InputsLength())]
            self._inputs[node.Name().decode()] = inputs
            for attribute in map(node.Attributes, range(node.AttributesLength())):
                if branch := attribute.G():
                    self._read(branch)

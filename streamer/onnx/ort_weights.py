"""The weights in a file of ONNX Runtime's own format (`.ort`), by the names of what uses them.

The format is tables of FlatBuffers, with a number for each field in
https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/flatbuffers/schema/ort.fbs
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.onnx.flatbuffer import Table

IDENTIFIER, IDENTIFIER_AT = b"ORTM", 4
SESSION_MODEL, MODEL_GRAPH, GRAPH_TENSORS, GRAPH_NODES = 1, 7, 0, 2
TENSOR_NAME, TENSOR_SHAPE, TENSOR_DATA_TYPE, TENSOR_CONTENT = 0, 2, 3, 4
NODE_NAME, NODE_INPUTS, NODE_ATTRIBUTES, ATTRIBUTE_GRAPH = 0, 8, 10, 7

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
        ValueError: It is not such a file, or is damaged; and by all methods: it is another model's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tensors: dict[str, Array] = {}
        self._inputs: dict[str, list[str]] = {}
        content = path.read_bytes()
        if content[IDENTIFIER_AT : IDENTIFIER_AT + len(IDENTIFIER)] != IDENTIFIER:
            raise ValueError(f"{path} is not a model in ONNX Runtime's own format")
        try:
            model = Table(content).table(SESSION_MODEL)
            graph = model and model.table(MODEL_GRAPH)
            if graph:
                self._read(graph)
        except (struct.error, ValueError) as error:
            raise ValueError(f"{path} is cut off or damaged: {error}") from error

    def __getitem__(self, tensor: str) -> Array:
        """A tensor by its own name."""
        try:
            return self._tensors[tensor]
        except KeyError:
            raise self._other_model(tensor) from None

    def matrix(self, node: str) -> Quantized:
        """What the product of this name multiplies with, and adds."""
        inputs = self._inputs.get(f"{node}/MatMul_quant", [])
        tensors = [self._tensors[name] for name in inputs if name in self._tensors]
        if len(tensors) < len(("values", "scale", "zero point")):
            raise self._other_model(node)
        values, scale, zero_point, *bias = tensors
        return Quantized(values, scale, zero_point, bias[0] if bias else None)

    def _other_model(self, without: str) -> ValueError:
        return ValueError(f"{self._path} is another model's: it has no {without!r}")

    def _read(self, graph: Table) -> None:
        for tensor in graph.tables(GRAPH_TENSORS):
            if dtype := DTYPES.get(tensor.number(TENSOR_DATA_TYPE)):
                shape = tensor.array(TENSOR_SHAPE, np.int64)
                values = tensor.array(TENSOR_CONTENT, np.uint8).view(dtype).reshape(shape)
                self._tensors[tensor.text(TENSOR_NAME)] = values
        for node in graph.tables(GRAPH_NODES):
            self._inputs[node.text(NODE_NAME)] = node.texts(NODE_INPUTS)
            for attribute in node.tables(NODE_ATTRIBUTES):
                if branch := attribute.table(ATTRIBUTE_GRAPH):
                    self._read(branch)

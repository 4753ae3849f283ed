"""Writes a graph for ONNX Runtime, without the package `onnx`: a few fields of ten messages.

- Messages and their numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
- The encoding: https://protobuf.dev/programming-guides/encoding/
- Operators of the domain `com.microsoft`, each of which replaces about ten of ONNX's own:
  https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

MODEL_IR_VERSION, MODEL_GRAPH, MODEL_OPSET = 1, 7, 8
OPSET_DOMAIN, OPSET_VERSION = 1, 2
GRAPH_NODE, GRAPH_NAME, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 5, 11, 12
NODE_INPUT, NODE_OUTPUT, NODE_OPERATOR, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 4, 5, 7
ATTRIBUTE_NAME, ATTRIBUTE_TYPE = 1, 20
TENSOR_DIMS, TENSOR_DATA_TYPE, TENSOR_NAME, TENSOR_RAW_DATA = 1, 2, 8, 9
VALUE_NAME, VALUE_TYPE, TYPE_TENSOR, TENSOR_TYPE_ELEMENT = 1, 2, 1, 1

IR_VERSION, ONNX_OPSET, MICROSOFT_OPSET = 8, 17, 1
MICROSOFT = "com.microsoft"

ELEMENTS = {"float32": 1, "uint8": 2, "int8": 3, "int64": 7}
"""TensorProto.DataType, by NumPy's names of the types."""
FLOAT, INT = "float32", "int64"

VARINT, BYTES, FIXED32 = 0, 2, 5
"""Wire types."""

Attribute = int | float | str | Sequence[int]
Array = npt.NDArray[np.generic]
"""A tensor of any type."""

Floats = npt.NDArray[np.float32]
"""A tensor of float32."""


class Graph:
    """Nodes in the order in which they run, and constants. Each output of a node has a name."""

    def __init__(self) -> None:
        self._fields: list[bytes | memoryview] = [_text(GRAPH_NAME, "graph")]
        self._names = 0

    def constant(self, values: Array) -> str:
        """A tensor that is stored in the graph; returns its name."""
        name = self.new_name()
        tensor = [_number(TENSOR_DIMS, size) for size in values.shape]
        tensor += [_number(TENSOR_DATA_TYPE, ELEMENTS[values.dtype.name]), _text(TENSOR_NAME, name)]
        content = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data  # not copied
        tensor += [_key(TENSOR_RAW_DATA, BYTES), _varint(content.nbytes)]
        head = b"".join(tensor)
        key = _key(GRAPH_INITIALIZER, BYTES) + _varint(len(head) + content.nbytes)
        self._fields += [key, head, content]
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Attribute) -> str:
        """A node with one output; returns the output's name."""
        (output,) = self.add_many(operator, inputs, 1, domain, **attributes)
        return output

    def add_many(
        self,
        operator: str,
        inputs: Iterable[str],
        outputs: int | Sequence[str],
        domain: str = "",
        **attributes: Attribute,
    ) -> Sequence[str]:
        """A node. An empty name leaves an optional input or output out.

        Args:
            operator: One of ONNX's, or of `domain`.
            inputs: Names of other nodes' outputs, of constants, or of inputs of the graph.
            outputs: Their number, or their names.
            domain: The operator's; empty for ONNX's own.
            attributes: The operator's.

        Returns:
            The names of the outputs.
        """
        if isinstance(outputs, int):
            outputs = [self.new_name() for _ in range(outputs)]
        node = [_text(NODE_INPUT, name) for name in inputs]
        node += [_text(NODE_OUTPUT, name) for name in outputs]
        node += [_text(NODE_OPERATOR, operator), _text(NODE_DOMAIN, domain)]
        node += [_attribute(name, value) for name, value in attributes.items()]
        self._fields.append(_message(GRAPH_NODE, node))
        return outputs

    def model(self, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> bytes:
        """The model, for `onnxruntime.InferenceSession`.

        Args:
            inputs: Element types by names. Shapes are left open.
            outputs: The same.
        """
        graph = [*self._fields]
        graph += [_value(GRAPH_INPUT, *value) for value in inputs.items()]
        graph += [_value(GRAPH_OUTPUT, *value) for value in outputs.items()]
        operators = [("", ONNX_OPSET), (MICROSOFT, MICROSOFT_OPSET)]
        versions = [
            _message(MODEL_OPSET, [_text(OPSET_DOMAIN, domain), _number(OPSET_VERSION, version)])
            for domain, version in operators
        ]
        version = _number(MODEL_IR_VERSION, IR_VERSION)
        key = _key(MODEL_GRAPH, BYTES) + _varint(sum(map(len, graph)))
        return b"".join([version, *versions, key, *graph])

    def new_name(self) -> str:
        """A name that is not used yet."""
        self._names += 1
        return f"v{self._names}"


def _attribute(name: str, value: Attribute) -> bytes:
    """AttributeProto: the field for a value of this type, and the number of the type."""
    match value:
        case int():
            kind, field = 2, _number(3, value)
        case float():
            kind, field = 1, _key(2, FIXED32) + struct.pack("<f", value)
        case str():
            kind, field = 3, _text(4, value)
        case _:
            kind, field = 7, b"".join(_number(8, each) for each in value)
    return _message(
        NODE_ATTRIBUTE, [_text(ATTRIBUTE_NAME, name), field, _number(ATTRIBUTE_TYPE, kind)]
    )


def _value(number: int, name: str, element: str) -> bytes:
    tensor = _number(TENSOR_TYPE_ELEMENT, ELEMENTS[element])
    kind = _message(VALUE_TYPE, [_bytes(TYPE_TENSOR, tensor)])
    return _message(number, [_text(VALUE_NAME, name), kind])


def _message(number: int, fields: Iterable[bytes]) -> bytes:
    return _bytes(number, b"".join(fields))


def _text(number: int, text: str) -> bytes:
    return _bytes(number, text.encode())


def _bytes(number: int, content: bytes) -> bytes:
    return _key(number, BYTES) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _key(number, VARINT) + _varint(value & (2**64 - 1))  # negative ones as two's complement


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)

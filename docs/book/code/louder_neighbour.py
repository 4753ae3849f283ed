"""What a product of integers makes of one row, alone and beside a louder one."""

import numpy as np

from streamer.models.moonshine.published_weights import requantized
from streamer.onnx.graph import FLOAT, Graph
from streamer.onnx.runtime import open_network

WIDTH = 288
chance = np.random.default_rng(0)
matrix = requantized(chance.standard_normal((WIDTH, WIDTH)).astype(np.float32))
row, neighbour = chance.standard_normal((2, 1, WIDTH)).astype(np.float32)

graph = Graph()
outputs = graph.add_many("DynamicQuantizeLinear", ["states"], ["values", "scale", "zero"])
types = dict(zip(outputs, ("uint8", FLOAT, "uint8"), strict=True))
network = open_network(graph.model({"states": FLOAT}, types))


def error(times_louder: float | None) -> float:
    """Of the first row, in percent of its length; None = it is alone."""
    rows = row if times_louder is None else np.concatenate([row, times_louder * neighbour])
    values, scale, zero = network.run(None, {"states": rows.astype(np.float32)})
    whole = values[:1].astype(np.int32) - zero.astype(np.int32)
    result = (whole @ matrix.values.astype(np.int32)) * scale
    exact = row @ matrix.values
    return float(100 * np.linalg.norm(result - exact) / np.linalg.norm(exact))


print(f"alone                  {error(None):5.1f} % wrong")
for louder in (1, 10, 100):
    print(f"beside one {louder:3} times    {error(louder):5.1f} % wrong")

"""Write model.onnx, which stands for the file that you have.

Three band-pass filters and the logarithm of each one's mean power: [batch, samples] to [batch, 3].
"""

import sys
from pathlib import Path

import numpy as np

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    sys.exit(f"this script needs onnx: {sys.executable} -m pip install onnx")

SAMPLE_RATE = 16_000
BANDS_HZ = ((50, 500), (500, 2_000), (2_000, 8_000))
TAPS = 129

time_s = (np.arange(TAPS) - TAPS // 2) / SAMPLE_RATE


def low_pass(cutoff_hz):
    return 2 * cutoff_hz / SAMPLE_RATE * np.sinc(2 * cutoff_hz * time_s)


filters = np.stack([low_pass(high) - low_pass(low) for low, high in BANDS_HZ]) * np.hamming(TAPS)
weights = {
    "filters": filters[:, np.newaxis].astype(np.float32),
    "channel": np.array([1]),
    "time": np.array([2]),
    "floor": np.array([1e-10], dtype=np.float32),
}
nodes = [
    helper.make_node("Unsqueeze", ["waveform", "channel"], ["mono"]),
    helper.make_node("Conv", ["mono", "filters"], ["bands"], pads=[TAPS // 2, TAPS // 2]),
    helper.make_node("Mul", ["bands", "bands"], ["squares"]),
    helper.make_node("ReduceMean", ["squares", "time"], ["power"], keepdims=0),
    helper.make_node("Add", ["power", "floor"], ["audible"]),
    helper.make_node("Log", ["audible"], ["logits"]),
]
graph = helper.make_graph(
    nodes,
    "bands",
    [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", "samples"])],
    [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(BANDS_HZ)])],
    [numpy_helper.from_array(value, name) for name, value in weights.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, Path(__file__).with_name("model.onnx"))

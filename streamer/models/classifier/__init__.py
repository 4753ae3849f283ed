"""Any ONNX file that maps a waveform to scores, described by the `model.json` beside it.

May import: what `streamer.models` may.
"""

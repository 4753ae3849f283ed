"""The models that come with the server, and the way from the configuration to a model.

May import: onnx, weights, vad, config, memory, model.
"""

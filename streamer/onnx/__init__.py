"""ONNX files: reading weights, writing graphs, running them with ONNX Runtime.

May import: nothing of streamer.
"""

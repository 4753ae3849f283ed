"""Voice-activity detection: detectors, and the segmenter that cuts speech into segments.

May import: onnx, weights, observe, config.
"""

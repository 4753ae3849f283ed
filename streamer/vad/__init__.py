"""Voice-activity detection: detectors, and the segmenter that cuts speech into segments.

`segmenter.py` takes `segmenter_settings.py` and returns `segmenter_events.py`.

May import: onnx, weights, observe, config.
"""

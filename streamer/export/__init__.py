"""Makes the ONNX file of a model that is published in another form: `streamer models export`.

`hub.py` downloads, `wav2small.py` is the network in torch, `to_onnx.py` converts and compares, and
`export.py` puts the file in its place. Only modules imported inside functions need torch.

May import: config, weights.
"""

"""Makes the ONNX file of a model that is published in another form.

- ``export.py``     from published weights to a file in its place, all or nothing
- ``hub.py``        downloads one file from the Hugging Face hub
- ``wav2small.py``  the network in torch, with the names of the published tensors
- ``to_onnx.py``    torch to ONNX, and the check that both give the same scores

Only modules that are imported inside functions need torch: the optional extra ``export``.
May import: weights.
"""

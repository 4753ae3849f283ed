"""Making the ONNX file of a model that is published in another form. Used for that alone.

- ``export.py``     from published weights to a file in its place, all or nothing
- ``hub.py``        one file from the Hugging Face hub
- ``wav2small.py``  the network, and the tensors that it takes
- ``to_onnx.py``    torch to ONNX, and the proof that both say the same

Only what is imported inside functions needs torch: the optional extra ``export``.
"""

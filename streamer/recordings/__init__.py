"""Recordings: what container a file of strangers' bytes is, and its samples, block by block.

`decoding.py` is the core, over PyAV. `decoder.py` runs it in a process of its own for each request;
`launcher.py` and `sandbox.py` are what that process begins with, and `link.py` what it writes.

May import: audio, observe.
"""

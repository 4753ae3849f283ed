"""Recordings: what container a file of strangers' bytes is, and its samples, block by block.

`decoding.py` is the core, `part_decoder.py` its way to PyAV. `decoder.py` runs both in a process of
its own for each request; it begins with `launcher.py` and `sandbox.py`, and writes `link.py`.

May import: audio, observe.
"""

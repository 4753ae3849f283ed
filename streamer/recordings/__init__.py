"""Recordings: what a file of strangers' bytes holds, and its samples, block by block.

`decoding.py` is the pure core; `decoder.py` runs it in a process of its own.
Imports `audio`.
"""

"""Recordings in one request, the page, and short answers for operators.

`operations.py` lists every address. A recording is received by `uploads.py`, decoded block by block
by `streamer.audio.files`, and goes through the same pipeline as a stream: `recordings.py`.

May import: pipeline, access, services, inference, audio, protocol, observe, config.
"""

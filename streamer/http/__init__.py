"""Recordings in one request, the page, and short answers for operators.

`listening.py` opens the port, `operations.py` lists every address. A recording is received by
`uploads.py`, and goes through the same pipeline as a stream: `recordings.py`.

May import: services, pipeline, access, inference, models, weights, recordings, audio, protocol,
observe, config, subtitles.
"""

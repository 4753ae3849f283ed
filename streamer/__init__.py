"""Streamer puts a CPU-bound audio model live: audio streams in, observations stream out.

Follow the audio from socket to event:

1.  `app.py` maps the addresses; a WebSocket becomes a `session.py`, which owns three tasks.
2.  `reader.py` reads messages (`messages.py`) and asks `protocol.py` what each one means.
3.  `inbox.py` holds what has arrived, in order, until `processor.py` takes it: `commands.py`, and
    audio for the open `stream.py`.
4.  `audio/pcm.py` turns the bytes into one row of float32 for each channel.
5.  `channel.py` resamples its row (`audio/track.py`, `audio/resample.py`), asks
    `speech/silero.py` (or `speech/webrtc.py`) how likely each window is speech, and tells
    `speech/segmenter.py`.
6.  The segmenter's answers become `active` and `inactive` at once. Segments and interims go to
    `inference/pool.py` and wait in `inference/queue.py`, until `inference/scheduler.py` says that
    it is their turn; `inference/supervisor.py` runs them in a process, `inference/worker.py`, on a
    model such as `models/moonshine.py`.
7.  `delivery.py` brings the results back in order, as `segment` and `interim`; the final may be
    begun in a pause already (`early.py`). They wait in `outbox.py` until the session's writer
    sends them.
8.  On the way, all of them tell `monitor.py` what they do and `tracing.py` what became of a
    segment (`timeline.py`). Both are interfaces; what is counted for Prometheus and exported by
    OpenTelemetry is in `telemetry/`.

A recording in one request (`http/operations.py` lists them all) is received by `http/uploads.py`,
decoded block by block by `audio/files.py`, and takes the same way from step 5 on:
`http/recordings.py`.
"""

import os

from streamer.model import Model, StatefulModel, Unwanted

# From 1.29 on, ONNX Runtime reports to its maker what is run on it, unless it is told not to before
# it is loaded. Every process of the server begins here; the workers inherit it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Model", "StatefulModel", "Unwanted"]
__version__ = "0.1.0"

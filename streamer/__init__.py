"""Streamer puts a CPU-bound audio model live: audio streams in, observations stream out.

Follow the audio from socket to event:

1.  `app.py` maps the addresses; a WebSocket becomes a `session.py`.
2.  `session.py` reads its messages (`messages.py`) and asks `protocol.py` what each one means.
3.  `inbox.py` holds what has arrived, in order, until `stream.py` takes it as one block.
4.  `audio/pcm.py` turns the bytes into one row of float32 for each channel.
5.  `channel.py` resamples its row (`audio/resample.py`), asks `speech/silero.py` (or
    `speech/webrtc.py`) how likely each window is speech, and tells `speech/segmenter.py`.
6.  The segmenter's answers become `active` and `inactive` at once. Segments and interims go to
    `inference/pool.py`, which picks the next with `inference/scheduler.py` and runs it in a
    process, `inference/worker.py`, on a model such as `models/moonshine.py`.
7.  `channel.py` sends the results in order, as `segment` and `interim`.
"""

from streamer.inference.model import Model, StatefulModel

__all__ = ["Model", "StatefulModel"]
__version__ = "0.1.0"

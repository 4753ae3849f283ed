"""Streamer puts a CPU-bound audio model live: audio streams in, observations stream out.

Follow the audio from socket to event in these 22 files; a file comes before the files that it
calls. Parts beside them, such as a buffer or a network, are listed in `docs/architecture.md`, which
has the picture and the rules, too:

    bytes to inputs    1 websocket/reading.py     the bytes of a connection become messages
                       2 session/reader.py        takes the messages, and watches deadlines
                       3 session/client_inputs.py  asks 4 and 5, and fills 6
                       4 dialects/native.py       our own protocol: a frame means inputs
                       5 protocol/state.py        the table: an input becomes actions
                       6 session/inbox.py         audio and actions wait, in order
    audio to segments  7 session/executor.py      takes from 6: carries out actions, feeds 8
                       8 pipeline/stream.py       one stream: asks 9, and feeds its channels
                       9 audio/pcm.py             bytes to float32, one row for each channel
                      10 pipeline/speech_channel.py  one channel: asks 11 to 13, and submits to 14
                      11 audio/resample.py        recent audio at the rate of detector or model
                      12 vad/silero.py            windows to probabilities of speech, in batches
                      13 vad/segmenter.py         probabilities to segments
    segments to words 14 pipeline/results.py      submits segments, and keeps their order
                      15 inference/pool.py        the workers of a model: a segment becomes a job
                      16 inference/queue.py       which job goes to which idle worker, and when
                      17 inference/supervisor.py  takes from 16, and runs the job in a worker
                      18 inference/worker_process.py  starts a worker, and sends it batches
                      19 inference/worker.py      the worker: moonshine/transcriber.py
    words to frames   20 pipeline/sender.py       results become events; called by 14
                      21 pipeline/outbox.py       events wait
                      22 session/session.py       takes from 21, asks 4 for frames, and sends them
"""

import os

from streamer.model import Dropped, Model, SegmentRequest, StatefulModel, Unwanted

# From 1.29 on, ONNX Runtime reports to its maker what is run on it, unless this is set before it is
# loaded. Every process of the server begins here; the workers inherit it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Dropped", "Model", "SegmentRequest", "StatefulModel", "Unwanted"]

__version__: str
"""As installed. Reading it takes some milliseconds, so that is done when it is asked for."""


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from streamer.version import installed_version

    return installed_version()

"""Streamer puts a CPU-bound audio model live: audio streams in, observations stream out.

Follow the audio from socket to event; `docs/architecture.md` has the picture and the rules:

    bytes to inputs    1 websocket/reading.py      the bytes of a connection
                       2 websocket/frames.py       a frame's content
                       3 session/reader.py         the socket's messages, and its deadlines
                       4 session/inputs.py         what they mean for this client
                       5 dialects/native.py        our own protocol: a frame is an input
                       6 protocol/state.py         the table: an input becomes actions
                       7 session/inbox.py          audio and actions wait in order
    audio to segments  8 session/executor.py       carries out actions, feeds the stream
                       9 pipeline/stream.py        one stream, its channels
                      10 audio/pcm.py              bytes to float32, a row for each channel
                      11 pipeline/speech_channel.py  one channel
                      12 audio/resample.py         to the rates of detector and model
                      13 vad/silero.py             probability of speech, in batches
                      14 vad/segmenter.py          where segments begin and end
    segments to words 15 pipeline/results.py       submits segments, keeps their order
                      16 inference/pool.py         the workers of one model
                      17 inference/queue.py        which job goes to which idle worker, when
                      18 inference/supervisor.py   runs it in a worker process
                      19 inference/worker.py       that process, with models/moonshine/model.py
    words to frames   20 pipeline/sender.py        results become events
                      21 pipeline/outbox.py        events wait for the writer
                      22 session/session.py        sends them, and owns all tasks of the socket
"""

import os

from streamer.model import Model, StatefulModel, Unwanted

# From 1.29 on, ONNX Runtime reports to its maker what is run on it, unless this is set before it is
# loaded. Every process of the server begins here; the workers inherit it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__all__ = ["Model", "StatefulModel", "Unwanted"]
__version__ = "0.1.0"

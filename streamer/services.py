"""What everything that a server serves has in common."""

import msgspec

from streamer.config import Config
from streamer.inference.pool import WorkerPool
from streamer.speech.vad import VadEngine


class Services(msgspec.Struct, frozen=True):
    """What all sessions of a server share."""

    config: Config
    pool: WorkerPool
    vad: VadEngine

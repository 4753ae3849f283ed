"""What everything that a server serves has in common."""

import msgspec

from streamer.config import Config
from streamer.inference.pools import Pools
from streamer.speech.vad import VadEngine


class Services(msgspec.Struct, frozen=True):
    """What all sessions of a server share."""

    config: Config
    pools: Pools
    vad: VadEngine

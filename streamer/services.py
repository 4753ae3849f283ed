"""What everything that a server serves has in common."""

import msgspec

from streamer.access import Access
from streamer.config import Config
from streamer.inference.pools import Pools
from streamer.monitor import Monitor
from streamer.speech.vad import VadEngine
from streamer.tracing import Tracer


class Services(msgspec.Struct, frozen=True):
    """What all sessions of a server share."""

    config: Config
    pools: Pools
    vad: VadEngine
    access: Access
    monitor: Monitor
    tracer: Tracer

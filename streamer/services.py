"""What all sessions and requests of a server share."""

import msgspec

from streamer.access.refusal_log import RefusalLog
from streamer.access.tokens import Access
from streamer.config.schema import Config
from streamer.inference.model_pools import Pools
from streamer.observe.monitor import Monitor
from streamer.observe.tracer import Tracer
from streamer.recordings.decoder import Decoders
from streamer.vad.engine import VadEngine


class Services(msgspec.Struct, frozen=True):
    """Made once when the server starts."""

    config: Config
    pools: Pools
    vad: VadEngine
    access: Access
    monitor: Monitor
    tracer: Tracer
    decoders: Decoders
    refusals: RefusalLog

"""How many cores, how much memory and which network a number of streams needs, on paper."""

from math import ceil

from tools.bench.result_files import Row
from tools.simulate.costs import Costs
from tools.simulate.speech import SpeechLoop

FULL = 0.6
"""The part of its time that a core computes at most: then finals hardly wait, and three of four
servers can serve what four did."""

SAMPLE_RATE, SAMPLE_BYTES, MESSAGE_S = 16_000, 2, 0.02
"""Of the audio that is sent: 16 bits at 16 kHz, in messages of 20 ms."""

HEADERS_BYTES = 40 + 20 + 8
"""Of a message: IPv6 and TCP (https://www.rfc-editor.org/rfc/rfc8200,
https://www.rfc-editor.org/rfc/rfc9293), and a WebSocket frame with its mask."""

STREAMS = (10, 100, 1_000, 10_000, 100_000)


def sizes(loop: SpeechLoop, costs: Costs, balancer: float) -> list[Row]:
    """What each number of streams needs.

    Args:
        loop: What the streams say.
        costs: Of what is said.
        balancer: CPU seconds of HAProxy for a second of audio.
    """
    return [needed(streams, loop, costs, balancer) for streams in STREAMS]


def needed(streams: int, loop: SpeechLoop, costs: Costs, balancer: float) -> Row:
    """What so many streams need; arguments as for `sizes`."""
    inference_cores = streams * loop.speech_share * costs.inference / costs.crowded / FULL
    workers = max(1, ceil(inference_cores))
    server_cores = streams * costs.server_of(streams_a_server(costs)) / FULL
    servers = max(1, ceil(server_cores))
    memory = servers * SERVER_BYTES + streams * costs.active_session_bytes
    memory += workers * costs.worker_bytes
    bits = 8 * (SAMPLE_RATE * SAMPLE_BYTES + HEADERS_BYTES / MESSAGE_S)
    return {
        "live streams": streams,
        "cores for inference": workers,
        "servers, one core each": servers,
        "cores for balancers": round(streams * balancer / FULL, 1),
        "memory, GB": round(memory / 1e9, 1),
        "audio in, Mbit/s": round(streams * bits / 1e6, 1),
        "segments out to remote workers, Mbit/s": round(
            streams * loop.speech_share * 8 * SAMPLE_RATE * FLOAT_BYTES / 1e6, 1
        ),
    }


SERVER_BYTES = 100_000_000
"""Of a server's process, rounded up: `rss_mb` of `make bench-long` (docs/performance/long.json)."""

FLOAT_BYTES = 4
"""Of a sample on its way to a worker."""


def streams_a_server(costs: Costs) -> int:
    """As many streams as one server's process serves with `FULL` of a core."""
    streams = 1
    while (streams + 1) * costs.server_of(streams + 1) <= FULL:
        streams += 1
    return streams

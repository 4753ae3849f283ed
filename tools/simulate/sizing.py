"""How many cores, how much memory and which network a number of streams needs, on paper."""

from collections.abc import Sequence
from math import ceil

from tools.bench.result_files import Row
from tools.simulate.stream_costs import FULL, MODELS, StreamCosts

CONVERSATION = 0.4
"""Of the audio in segments, when two people talk and each has a stream."""

SAMPLE_RATE, SAMPLE_BYTES, MESSAGE_S = 16_000, 2, 0.02
"""Of the audio that is sent: 16 bits at 16 kHz, in messages of 20 ms."""

HEADERS_BYTES = 40 + 20 + 8
"""Of a message: IPv6 and TCP (https://www.rfc-editor.org/rfc/rfc8200,
https://www.rfc-editor.org/rfc/rfc9293), and a WebSocket frame with its mask."""

SERVER_BYTES = 100_000_000
"""Of a server's process, rounded up: `rss_mb` of `make bench-long` (docs/performance/long.json)."""

FLOAT_BYTES = 4
"""Of a sample on its way to a worker."""

STREAMS = (10, 100, 1_000, 3_000, 10_000, 100_000)


def sizes(costs: StreamCosts, tiny: StreamCosts) -> list[Row]:
    """What each number of conversations needs, and how many cores with Moonshine Tiny."""
    return [
        needed(streams, CONVERSATION, costs)
        | {"cores in all, with Tiny": ceil(tiny.cores_for(streams, CONVERSATION))}
        for streams in STREAMS
    ]


def needed(streams: int, speech_share: float, costs: StreamCosts) -> Row:
    """What so many live streams need.

    Args:
        streams: Their number.
        speech_share: The part of their audio that is speech.
        costs: Of a stream.
    """
    workers = max(1, ceil(streams * speech_share * costs.live / FULL))
    servers = max(1, ceil(streams * costs.server_full / FULL))
    memory = None
    if costs.worker_bytes is not None:
        memory = servers * SERVER_BYTES + streams * costs.active_session_bytes
        memory += workers * costs.worker_bytes
    bits = 8 * (SAMPLE_RATE * SAMPLE_BYTES + HEADERS_BYTES / MESSAGE_S)
    return {
        "live streams": streams,
        "cores in all": ceil(costs.cores_for(streams, speech_share)),
        "of them for inference": workers,
        "servers, one core each": servers,
        "cores for balancers": round(streams * costs.balancer / FULL, 1),
        "memory, GB": memory and round(memory / 1e9, 1),
        "audio in, Mbit/s": round(streams * bits / 1e6, 1),
        "segments out to remote workers, Mbit/s": round(
            streams * speech_share * 8 * SAMPLE_RATE * FLOAT_BYTES / 1e6, 1
        ),
    }


def constants(costs: Sequence[tuple[str, StreamCosts]]) -> list[Row]:
    """The constants of the formula, and the streams a core that it gives, for each model."""
    return [
        {
            "model": MODELS[model],
            "model alone, ms per speech s": round(1_000 * each.alone, 1),
            "in live streams": round(1_000 * each.live, 1),
            "server, ms per audio s": round(1_000 * each.server_full, 2),
            "HAProxy, ms per audio s": round(1_000 * each.balancer, 2),
            "conversations a core": round(1 / each.cores_for(1, CONVERSATION), 1),
            "MB of a worker": each.worker_bytes and round(each.worker_bytes / 1e6),
        }
        for model, each in costs
    ]


def formula(streams: int, speech_share: float, costs: StreamCosts) -> str:
    """The formula with its numbers."""
    return (
        f"{streams} × ({speech_share:g} × {costs.alone:.4f} × {costs.live_ratio:.2f} + "
        f"{costs.server_full:.4f} + {costs.balancer:.4f}) ÷ {FULL:g} = "
        f"{costs.cores_for(streams, speech_share):.1f} cores"
    )

"""What a query of Deepgram's means for a stream of this server. Pure."""

from streamer.config.segmentation import VadConfig
from streamer.http.deepgram_query import ListenQuery
from streamer.protocol.requests import VadOptions

LONGEST_SILENCE_MS = 10_000
"""Milliseconds: the largest `min_silence_ms`. With `endpointing=false` silence ends no segment that
`Finalize`, or the longest segment that is allowed, does not end before."""

LEAST_UTTERANCE_END_MS = 1_000
"""Milliseconds; what Deepgram recommends as the least. Shorter ones would be the segments' ends."""


def vad_options(query: ListenQuery, configured: VadConfig) -> VadOptions:
    """The settings of the segmentation.

    Deepgram's usual values of `endpointing`, such as 10, suit models that get word after word. A
    model that gets whole segments would get a word or two in each, so there is a least value.

    Args:
        query: Of the client.
        configured: The settings of the server.
    """
    if (query.text("endpointing") or "").lower() == "false":
        return VadOptions(min_silence_ms=LONGEST_SILENCE_MS)
    given = query.number("endpointing")
    if given is None:
        return VadOptions()
    least = configured.least_endpointing_ms
    return VadOptions(min_silence_ms=min(max(given, least), LONGEST_SILENCE_MS))


def utterance_end_s(query: ListenQuery) -> float | None:
    """Seconds without a word that end an utterance; None = the client does not want to be told."""
    given = query.number("utterance_end_ms")
    return None if given is None else max(given, LEAST_UTTERANCE_END_MS) / 1000

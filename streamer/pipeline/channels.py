"""Which kind of channel a stream has."""

from typing import assert_never

from streamer.observe.monitor import Meter
from streamer.pipeline.channel import Channel
from streamer.pipeline.chunk_channel import ChunkChannel, WholeChannel
from streamer.pipeline.context import StreamContext
from streamer.pipeline.speech_channel import SpeechChannel
from streamer.protocol.requests import Start


def open_channels(context: StreamContext, start: Start, resampling: Meter) -> list[Channel]:
    """All channels of a stream that starts.

    Args:
        context: Of the stream.
        start: The client's request.
        resampling: Measures that stage, for all channels together.
    """

    def open_channel(number: int) -> Channel:
        match context.segmentation:
            case "speech":
                return SpeechChannel(context, start, number, resampling)
            case "chunks":
                return ChunkChannel(context, start, number, resampling)
            case "whole":
                return WholeChannel(context, start, number, resampling)
            case never:
                assert_never(never)

    return [open_channel(number) for number in range(start.format.channels)]

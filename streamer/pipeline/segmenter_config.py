"""From configuration and request, in milliseconds, to the segmenter's settings, in samples."""

from streamer.config.schema import Config
from streamer.config.segmentation import InterimConfig, VadConfig
from streamer.protocol.requests import Start
from streamer.vad.segmenter_settings import SegmenterSettings


def settings_of(start: Start, config: Config, sample_rate: int) -> SegmenterSettings:
    """The segmenter's settings for a stream.

    Args:
        start: The client's request.
        config: What it does not mention.
        sample_rate: The detector's, in Hz.
    """
    interim = config.interim if start.interim_results else None
    return segmenter_settings(start.vad.over(config.vad), interim, sample_rate)


def segmenter_settings(
    vad: VadConfig, interim: InterimConfig | None, sample_rate: int
) -> SegmenterSettings:
    """The segmenter's settings in samples.

    Args:
        vad: Thresholds, and durations in milliseconds.
        interim: None for no interims.
        sample_rate: The detector's, in Hz.
    """

    def samples(milliseconds: int) -> int:
        return milliseconds * sample_rate // 1000

    return SegmenterSettings(
        threshold=vad.threshold,
        min_silence=samples(vad.min_silence_ms),
        min_speech=samples(vad.min_speech_ms),
        prefix_padding=samples(vad.prefix_padding_ms),
        suffix_padding=samples(min(vad.suffix_padding_ms, vad.min_silence_ms)),
        max_segment=samples(vad.max_segment_ms),
        sample_rate=sample_rate,
        interim_interval=samples(interim.interval_ms) if interim else None,
        interim_growth=interim.growth if interim else 0.0,
    )

"""How audio is cut into segments, and how often a growing segment is transcribed."""

from typing import Annotated, Literal

from msgspec import Meta

from streamer.config.section import Section

Probability = Annotated[float, Meta(gt=0, lt=1)]
MinSilenceMs = Annotated[int, Meta(ge=50, le=10_000)]
"""This and those below: of the configuration, and of a stream's own `start`."""
MinSpeechMs = Annotated[int, Meta(ge=0, le=2_000)]
PrefixPaddingMs = Annotated[int, Meta(ge=0, le=2_000)]
MaxSegmentMs = Annotated[int, Meta(ge=1_000, le=60_000)]


class VadConfig(Section, frozen=True):
    """Voice-activity segmentation. A stream's `start` may override what `VadOptions` has."""

    engine: Literal["silero", "webrtc"] = "silero"
    """Silero distinguishes speech from noise much better, and finds speech down to -40 dB of its
    usual level; WebRTC costs less ([performance](performance.md))."""
    webrtc_mode: Annotated[int, Meta(ge=0, le=3)] = 3
    """WebRTC's aggressiveness against noise."""
    gather_ms: Annotated[float, Meta(ge=0, le=100)] = 5.0
    """Wait this long to batch channels into one VAD call. Adds up to twice this to every
    event."""
    threshold: Probability = 0.5
    """A window with this probability or more is speech. After a window of speech, a probability
    that is lower by up to 0.15 is enough."""
    min_silence_ms: MinSilenceMs = 600
    """Silence of this duration ends a segment."""
    min_speech_ms: MinSpeechMs = 200
    """Speech of this duration begins a segment."""
    prefix_padding_ms: PrefixPaddingMs = 450
    """This much audio before the first speech belongs to the segment."""
    suffix_padding_ms: Annotated[int, Meta(ge=0, le=1_000)] = 250
    """This much audio after the last speech belongs to the segment; at most `min_silence_ms`."""
    max_segment_ms: MaxSegmentMs = 20_000
    """A longer segment is cut at a quiet point."""
    end_on_pause: bool = True
    """true = if a client sends in real time and then sends no audio, its segment ends: see
    [pauses](protocol.md#pauses)."""
    least_endpointing_ms: MinSilenceMs = 300
    """The shortest silence that ends a segment for clients of [other vendors'
    protocols](clients.md). These clients ask for 10 to 100 ms, which is too short for a model that
    gets whole segments."""

    def problem(self) -> str | None:
        """What is wrong with the settings together, in one sentence; None when nothing is."""
        beginning = self.prefix_padding_ms + self.min_speech_ms
        longest = self.max_segment_ms * 2 // 3
        if beginning <= longest:
            return None
        return (
            f"prefix_padding_ms + min_speech_ms is {beginning}; "
            f"allowed: at most two thirds of max_segment_ms, {longest}"
        )


class SimpleConfig(Section, frozen=True):
    """`/api/v1/simple`: equal chunks, no VAD."""

    chunk_seconds: Annotated[float, Meta(ge=0.05, le=60)] = 1.0
    """Length of the chunks of `/api/v1/simple`; [how to choose
    it](your-own-model.md#speech-or-not)."""


class InterimConfig(Section, frozen=True):
    """How often a growing segment is transcribed before it is final."""

    interval_ms: Annotated[int, Meta(ge=100, le=10_000)] = 500
    """Minimum audio between two interims of a segment."""
    growth: Annotated[float, Meta(ge=0, le=1)] = 0.2
    """Minimum growth between two interims, as a fraction of the segment's length. A larger value
    needs less CPU. At 0.2, each second of audio is processed at most six times for interims."""

"""What interims of a segment of 20 s cost, for two ways to choose their times."""

import numpy as np

from streamer.audio.buffer import SampleBuffer
from streamer.vad.segmenter import Segmenter
from streamer.vad.segmenter_events import InterimDue
from streamer.vad.segmenter_settings import SegmenterSettings

RATE, WINDOW, SECONDS = 16_000, 512, 19

print("growth  interims  seconds inferred  times each second")
for growth in (0.0, 0.1, 0.2, 0.5):
    settings = SegmenterSettings(
        threshold=0.5,
        min_silence=8_800,
        min_speech=3_200,
        prefix_padding=7_200,
        suffix_padding=4_000,
        max_segment=20 * RATE,
        sample_rate=RATE,
        interim_interval=RATE // 2,
        interim_growth=growth,
    )
    audio = SampleBuffer()
    audio.append(np.zeros(SECONDS * RATE, np.float32))
    segmenter = Segmenter(settings, WINDOW, audio)
    windows = SECONDS * RATE // WINDOW
    events = [event for _ in range(windows) for event in segmenter.advance(0.9)]
    lengths = [event.end - event.start for event in events if isinstance(event, InterimDue)]
    inferred = sum(lengths) / RATE
    print(f"{growth:6}  {len(lengths):8}  {inferred:16.1f}  {inferred / SECONDS:17.1f}")

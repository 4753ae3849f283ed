"""How much audio the resampler holds back, at most, in milliseconds."""

import numpy as np

from streamer.audio.resample import Resampler

print("from, Hz  to 16 kHz")
for rate in (8_000, 22_050, 44_100, 48_000):
    resampler = Resampler(rate, 16_000)
    received = emitted = held_ms = 0.0
    for _ in range(200):  # two seconds, in messages of 10 ms
        piece = np.zeros(rate // 100, np.float32)
        received += len(piece)
        emitted += len(resampler.push(piece))
        held_ms = max(held_ms, 1_000 * (received / rate - emitted / 16_000))
    print(f"{rate:8}  {held_ms:6.1f} ms")

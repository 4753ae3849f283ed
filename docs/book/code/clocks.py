"""How far four clocks of a stream are off after an hour of 44.1 kHz audio in blocks of 1 024."""

import numpy as np

RATE, BLOCK, HOUR_S = 44_100, 1_024, 3_600
blocks = HOUR_S * RATE // BLOCK
true_s = blocks * BLOCK / RATE

whole_ms = sum(round(1_000 * BLOCK / RATE) for _ in range(blocks)) / 1_000
single = np.cumsum(np.full(blocks, BLOCK / RATE, np.float32), dtype=np.float32)[-1]
sound_card_s = true_s * (1 + 100e-6)
samples = sum(BLOCK for _ in range(blocks))

print("clock                              off by")
print(f"milliseconds of each block, added  {abs(whole_ms - true_s):9.6f} s")
print(f"seconds in float32, added          {abs(single - true_s):9.6f} s")
print(f"wall clock, card 100 ppm slow      {abs(sound_card_s - true_s):9.6f} s")
print(f"samples, divided when shown        {abs(samples / RATE - true_s):9.6f} s")

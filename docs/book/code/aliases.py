"""Tones at 44.1 kHz, brought to 16 kHz in three ways: what is left of them, in decibels."""

from tools.docs.resampling import METHODS, level_db

TONES = (1_000, 4_000, 7_000, 9_000, 12_000, 15_000)

print("tone, Hz   ", *(f"{tone:7}" for tone in TONES))
for name in METHODS:
    print(f"{name:12}", *(f"{level_db(name, tone):7.1f}" for tone in TONES))

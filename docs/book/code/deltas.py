"""Interims that replace each other, as text that only grows."""

from streamer.dialects.openai_realtime.deltas import GrowingText

INTERIMS = (
    "It was the.",
    "It was the best of dimes.",
    "It was the best of times, it",
    "It was the best of times, it was the",
)
FINAL = "It was the best of times, it was the worst of times."

text = GrowingText()
for interim in INTERIMS:
    print(f"interim {interim!r:42} adds {text.interim(interim)!r}")
print(f"final   adds {text.final(FINAL)!r}")
print(f"joined: {''.join(text.sent)!r}")

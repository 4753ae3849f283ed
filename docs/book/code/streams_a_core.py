"""Live streams that a core can serve, by the model's real-time factor and the part of speech."""

SHARE, OWN, LIVE = 0.6, 0.0029, 1.37
"""Of a core that may be busy; cost of a second beside the model; what live streams add to that."""

print("factor  dictation, 0.8 speech  conversation, 0.4  monitoring, 0.1")
for factor in (0.01, 0.02, 0.05, 0.2, 0.5):
    streams = [SHARE / (LIVE * speech * factor + OWN) for speech in (0.8, 0.4, 0.1)]
    print(f"{factor:6}  {streams[0]:21.0f}  {streams[1]:17.0f}  {streams[2]:15.0f}")

"""Live streams that a core can serve, by the model's real-time factor and the part of speech."""

SHARE, OWN, IN_VAIN = 0.6, 0.004, 1.25
"""Of a core that may be busy; the server's cost of a second; what early finals add to the model."""

print("factor  dictation, 0.8 speech  conversation, 0.4  monitoring, 0.1")
for factor in (0.01, 0.02, 0.05, 0.2, 0.5):
    streams = [SHARE / (IN_VAIN * speech * factor + OWN) for speech in (0.8, 0.4, 0.1)]
    print(f"{factor:6}  {streams[0]:21.0f}  {streams[1]:17.0f}  {streams[2]:15.0f}")

"""What the server answers to messages that it cannot act on."""

import json

from streamer.protocol.requests import BadRequest, decode_request

MESSAGES = (
    "stop",
    {"request": "begin"},
    {"request": "start"},
    {"request": "start", "format": {"sample_rate": "16000"}},
    {"request": "start", "format": {"sample_rate": 16000, "channels": 12}},
    {"request": "start", "format": {"sample_rate": 16000}, "interim_result": True},
    {"request": "configure", "vad": {"threshold": 1.5}},
)

for message in MESSAGES:
    text = message if isinstance(message, str) else json.dumps(message)
    try:
        decode_request(text, max_channels=8)
    except BadRequest as error:
        print(f"{text}\n    {error.code}: {error}")

"""Transcribe with OpenAI's client; `OPENAI_BASE_URL` says where."""

import sys
from pathlib import Path

from openai import OpenAI

client = OpenAI()
recording = Path(sys.argv[1])
for event in client.audio.transcriptions.create(model="whisper-1", file=recording, stream=True):
    if event.type == "transcript.text.delta":
        print(event.delta, end="", flush=True)
print()

"""Transcribe with OpenAI's client; `OPENAI_BASE_URL` says where."""

import sys
from pathlib import Path

from openai import OpenAI, OpenAIError

if len(sys.argv) != 2:
    sys.exit("usage: openai_transcribe.py RECORDING")
recording = Path(sys.argv[1])
try:
    client = OpenAI()
    answer = client.audio.transcriptions.create(model="whisper-1", file=recording, stream=True)
    for event in answer:
        if event.type == "transcript.text.delta":
            print(event.delta, end="", flush=True)
    print()
except (OpenAIError, OSError) as error:  # no server, no key, no such file …
    sys.exit(f"openai_transcribe.py: {error}")

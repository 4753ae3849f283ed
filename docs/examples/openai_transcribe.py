"""Transcribe with OpenAI's client; `OPENAI_BASE_URL` says where."""

import os
import sys
from pathlib import Path

try:
    from openai import OpenAI, OpenAIError
except ImportError:
    sys.exit(f"this script needs openai: {sys.executable} -m pip install openai")
if len(sys.argv) != 2:
    sys.exit("usage: openai_transcribe.py RECORDING")
recording = Path(sys.argv[1])
if not recording.is_file():
    sys.exit(f"openai_transcribe.py: {recording} is not a file; give a recording")
try:
    client = OpenAI()
    answer = client.audio.transcriptions.create(model="whisper-1", file=recording, stream=True)
    for event in answer:
        if event.type == "transcript.text.delta":
            print(event.delta, end="", flush=True)
    print(flush=True)
except BrokenPipeError:  # the reader of the output has ended, as in `… | head`
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
except (OpenAIError, OSError) as error:  # no server, no key, no access to the file …
    sys.exit(f"openai_transcribe.py: {getattr(error, 'strerror', None) or error}")

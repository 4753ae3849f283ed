"""deepgram-sdk 5 to 7 as it comes: a recording in one request, and a token for a browser.

deepgram_file.py http://127.0.0.1:8080 KEY recording.wav [option=value ...]
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

from deepgram import DeepgramClient, DeepgramClientEnvironment


def main(base: str, key: str, path: str, *given: str) -> None:
    socket = base.replace("http", "ws", 1)
    urls = {"base": base, "production": socket, "agent": socket}
    if "agent_rest" in inspect.signature(DeepgramClientEnvironment).parameters:
        urls["agent_rest"] = base
    environment = DeepgramClientEnvironment(**urls)
    client = DeepgramClient(api_key=key, environment=environment)
    token = client.auth.v1.tokens.grant(ttl_seconds=60)
    print(json.dumps({"expires_in": token.expires_in}))
    options: dict[str, Any] = dict(option.split("=", 1) for option in given)
    for shown in (
        client,
        DeepgramClient(access_token=token.access_token, environment=environment),
    ):
        answer = shown.listen.v1.media.transcribe_file(
            request=Path(path).read_bytes(), model="nova-3", **options
        )
        print(json.dumps(answer.dict(), default=str))


main(*sys.argv[1:])

"""What the server is and can do, as Wyoming's `info`. Pure.

Home Assistant takes the first program, and the languages of all its installed models. It needs all
fields that are here, apart from `description` and `version`.
"""

from collections.abc import Sequence
from typing import Any

from streamer.dialects.wyoming.codec import encode_event
from streamer.http.deepgram_query import ServedModel
from streamer.http.languages import CODES

PROGRAM = "streamer"
"""The name of the only program."""


def info(models: Sequence[ServedModel], version: str, *, ends_commands: bool) -> bytes:
    """The event.

    Args:
        models: Of the server.
        version: Of the server.
        ends_commands: Whether the server finds the ends of commands.
    """
    made_by = {"attribution": {"name": "Streamer", "url": ""}, "installed": True}
    described = [
        {
            "name": model.name,
            **made_by,
            "description": model.name,
            "version": version,
            # A model of one's own may have any language.
            "languages": list(model.languages or CODES),
        }
        for model in models
    ]
    program: dict[str, Any] = {
        "name": PROGRAM,
        **made_by,
        "description": "Streamer",
        "version": version,
        "models": described,
        "supports_transcript_streaming": True,
        "requires_external_vad": not ends_commands,
    }
    return encode_event("info", {"asr": [program]})

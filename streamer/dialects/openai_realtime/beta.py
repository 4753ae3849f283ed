"""The words of the API's beta for the same settings. Pure.

https://platform.openai.com/docs/guides/realtime#beta-to-ga-migration-guide. The beta had the
settings of the audio at the top of a session, and named encodings differently.
"""

from collections.abc import Mapping
from typing import Any

FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}

FORMAT_NAME = "input_audio_format"

NAMES = {
    FORMAT_NAME: "format",
    "input_audio_transcription": "transcription",
    "input_audio_noise_reduction": "noise_reduction",
    "turn_detection": "turn_detection",
}
"""The beta's name of each setting, and the one after it."""


def in_new_words(session: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an update, in the words of the API; those of the beta may be among them."""
    tree = {name: value for name, value in session.items() if name not in NAMES}
    lifted = {new: session[old] for old, new in NAMES.items() if old in session}
    if not lifted:
        return tree
    if "format" in lifted and isinstance(lifted["format"], str):
        encoding = FORMATS.get(lifted["format"], lifted["format"])
        rate = 24_000 if encoding == "audio/pcm" else None
        lifted["format"] = {"type": encoding, "rate": rate}
    audio = tree.get("audio")
    given = audio.get("input") if isinstance(audio, dict) else None
    within = given if isinstance(given, dict) else {}
    tree["audio"] = {"input": {**lifted, **within}}
    return tree


def beta_name(field: str, session: Mapping[str, Any]) -> str:
    """How a client has written a dotted name of the API."""
    for old, new in NAMES.items():
        prefix = f"audio.input.{new}"
        if old in session and (field == prefix or field.startswith(f"{prefix}.")):
            rest = field.removeprefix(prefix)
            return old if old == FORMAT_NAME else old + rest
    return field


def in_beta_words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings for a client of the beta.

    Args:
        settings: As in `session.audio.input` of the API.
    """
    encoding = settings["format"]["type"]
    return {
        "input_audio_format": next(old for old, new in FORMATS.items() if new == encoding),
        **{old: settings[new] for old, new in NAMES.items() if new != "format"},
    }

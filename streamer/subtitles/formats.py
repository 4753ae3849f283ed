"""Cues as text: SubRip (.srt) and WebVTT (.vtt)."""

from streamer.subtitles.cues import Cue

VTT_HEADER = "WEBVTT\n\n"


def srt_cue(cue: Cue, number: int) -> str:
    """Return a cue of a SubRip file; they are counted from 1. The speaker comes in brackets."""
    label = f"[{cue.speaker}] " if cue.speaker else ""
    # SubRip has no escapes, and its players take a few tags for markup: keep the brackets, which
    # they show when they do not make a known tag, and only break up what would read as times.
    body = "\n".join(cue.lines).replace("-->", "→")
    return f"{number}\n{_times(cue, ',')}\n{label}{body}\n\n"


def vtt_cue(cue: Cue) -> str:
    """Return a cue of a WebVTT file. The speaker is its voice (WebVTT, section 5.1)."""
    voice = f"<v {_escape(cue.speaker)}>" if cue.speaker else ""
    body = _escape("\n".join(cue.lines))
    return f"{_times(cue, '.')}\n{voice}{body}\n\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _times(cue: Cue, decimal_mark: str) -> str:
    return f"{_stamp(cue.start_ms, decimal_mark)} --> {_stamp(cue.end_ms, decimal_mark)}"


def _stamp(time_ms: int, decimal_mark: str) -> str:
    minutes, milliseconds = divmod(time_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{milliseconds:03}"

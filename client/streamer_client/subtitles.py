"""SRT and WebVTT cues."""

VTT_HEADER = "WEBVTT\n\n"


def srt_cue(index: int, start_s: float, end_s: float, text: str, speaker: str | None = None) -> str:
    """Return one SubRip cue; `index` counts from 1. `speaker` goes before the text in brackets."""
    label = f"[{speaker}] " if speaker else ""
    # SubRip has no escapes, and its players take a few tags for markup: keep the brackets, which
    # they show when they do not make a known tag, and only break up what would read as times.
    body = _one_line(text).replace("-->", "→")
    return f"{index}\n{_stamp(start_s, ',')} --> {_stamp(end_s, ',')}\n{label}{body}\n\n"


def vtt_cue(start_s: float, end_s: float, text: str, speaker: str | None = None) -> str:
    """Return one WebVTT cue. `speaker` becomes its voice tag."""
    voice = f"<v {_escape(speaker)}>" if speaker else ""
    body = _escape(_one_line(text))
    return f"{_stamp(start_s, '.')} --> {_stamp(end_s, '.')}\n{voice}{body}\n\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _one_line(text: str) -> str:
    """Return `text` without line breaks: an empty line would end the cue."""
    return " ".join(text.split())


def _stamp(seconds: float, decimal_mark: str) -> str:
    milliseconds = max(0, round(seconds * 1000))
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02}:{minutes:02}:{whole:02}{decimal_mark}{milliseconds:03}"

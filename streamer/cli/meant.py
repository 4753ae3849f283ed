"""What was probably meant by an option, a word or an argument that there is not. Pure."""

import difflib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("url", "uri", "server", "host", "hostname", "port", "p"), "--addr"),
        **dict.fromkeys(("address", "ws", "websocket"), "--addr"),
        **dict.fromkeys(("bind", "listen"), "--host"),
        **dict.fromkeys(("format", "outputformat", "f"), "--output"),
        **dict.fromkeys(("simple", "segmented", "endpoint"), "--addr"),
        **dict.fromkeys(("samplerate", "r"), "--rate"),
        **dict.fromkeys(("apikey", "key", "auth", "password"), "--token"),
        **dict.fromkeys(("file", "audio", "recording"), "--input"),
        **dict.fromkeys(("microphone", "record"), "--mic"),
        **dict.fromkeys(("realtime", "live"), "--real-time"),
        **dict.fromkeys(("stereo", "mono"), "--channels"),
        **dict.fromkeys(("out", "outfile"), "--output-file"),
        **dict.fromkeys(("clients", "sessions", "connections", "c"), "--streams"),
        **dict.fromkeys(("duration", "d"), "--seconds"),
        **dict.fromkeys(("silence", "minsilence", "endpointing"), "--vad min_silence_ms=300"),
        **dict.fromkeys(("minsilencems", "silencems"), "--vad min_silence_ms=300"),
        **dict.fromkeys(("minspeech", "minspeechms"), "--vad min_speech_ms=200"),
        **dict.fromkeys(("padding", "prefixpadding"), "--vad prefix_padding_ms=450"),
        "prefixpaddingms": "--vad prefix_padding_ms=450",
        **dict.fromkeys(("maxsegment", "maxsegmentms"), "--vad max_segment_ms=20000"),
        **dict.fromkeys(("threshold", "vadthreshold"), "--vad threshold=0.6"),
        **dict.fromkeys(("timestamps", "wordtimestamps", "wordtimes"), "--words"),
        **dict.fromkeys(("prompt", "initialprompt", "hotwords", "keywords"), "--keyterm"),
        **dict.fromkeys(("partials", "partial", "interims"), "--interim-results"),
        **{name: f"--output {name}" for name in ("srt", "vtt", "json", "jsonl", "text")},
        "subtitles": "--output srt",
        "settings": "--config",
        "debug": "--log-level debug",
        "quiet": "--log-level warning",
    }
)
"""What other programs call an option, as `plain` writes it, and ours for it, which counts where a
program has that. A value may follow it."""

OPTIONS_OF: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "streamer": ("--config", "--host", "--port", "--log-level", "--fetch"),
        "streamer load": (
            *("--addr", "--audio", "--streams", "--seconds", "--interim-results", "--token"),
            "--json",
        ),
        "streamer models fetch": ("--force", "--from"),
        "streamer models export": ("--from", "--to", "--revision"),
        "streamer models check": ("--audio",),
        "streamer-client": (
            *("--input", "--mic", "--rate", "--channels", "--bit-depth", "--float", "--addr"),
            *("--token", "--model", "--vad", "--interim-results", "--eager", "--words"),
            *("--keyterm", "--keyterms", "--trace-id", "--timeout", "--reconnect", "--chunk-size"),
            *("--real-time", "--as-is", "--output", "--output-file", "--verbose"),
        ),
    }
)
"""By program and command: its options, so that each can name those of the others. A test compares
this with the parsers."""

PLACES = frozenset(
    {"url", "uri", "server", "host", "hostname", "port", "p", "address", "websocket"}
)
"""What other programs call the option with the place of a server."""

SHORTEST_PART = 3
"""Characters. A word that another one begins with counts as that one from this length on."""

LONG_DASHES = "‐‑‒–—―−"
"""Dashes that word processors and chats write in the place of one or two `-`."""

ADDRESS = re.compile(
    r"(?:wss?|https?):/{1,2}\S*"
    r"|(?:localhost|\d+(?:\.\d+){3}|\[[\da-f:]+\])(?::\d+)?(?:/\S*)?"
    r"|[\w.-]*:\d{2,5}(?:/\S*)?"
    r"|\d{2,5}"
    r"|/?api/v1/\S*",
    re.IGNORECASE,
)
"""An address of a server, whole or in part: `ws://…`, `localhost`, `example.com:8080`, `8080`."""


def plain(name: str) -> str:
    """A name without what is easily written otherwise: capitals, `-` and `_`."""
    return re.sub(r"[-_]", "", name).lower()


def meant_option(option: str, known: Sequence[str]) -> str | None:
    """The option that another spelling, or another program's word, means; None = there is none."""
    if option == "-V" and "--version" in known:
        return "--version"
    by_name = {plain(name): name for name in sorted(known, key=len)}
    if (same := by_name.get(plain(option))) is not None:
        return same
    other = OTHER_WORDS.get(plain(option), "")
    return other if other.partition(" ")[0] in known else None


def whole_address(option: str, value: str) -> str:
    """The address that an option for a part of it means, or an example of one.

    Args:
        option: Such as `--port`.
        value: What it was given; it counts if it may be a port, a host or an address.
    """
    name = plain(option)
    path = f"/api/v1/{'simple' if name == 'simple' else 'segmented'}"
    host = "localhost:8080"
    if name in PLACES and re.match(r"wss?://", value):
        return value
    if name in PLACES and re.fullmatch(r"\d{1,5}", value):
        host = f"localhost:{value}"
    elif name in PLACES and re.fullmatch(r"[\w-]+(\.[\w-]+)*(:\d+)?", value):
        host = value
    return f"ws://{host}{path}"


def near_option(option: str, known: Sequence[str]) -> str | None:
    """The option that may have been meant: the one like it, or the only ones with its letter."""
    name = plain(option)
    if len(name) == 1:
        longer = [other for other in known if plain(other).startswith(name)]
        return " or ".join(longer) if 0 < len(longer) <= 3 else None
    by_name = {plain(other): other for other in sorted(known, key=len)}
    near = nearest(name, list(by_name))
    return by_name[near] if near is not None else None


def programs_with(option: str, program: str) -> list[str]:
    """The other programs and commands that have an option."""
    return [
        other
        for other, options in OPTIONS_OF.items()
        if other != program and plain(option) in map(plain, options)
    ]


def long_option(argument: str, known: Sequence[str]) -> str | None:
    """The option that is written with one dash, such as `-output=srt`; None = it is not one.

    Otherwise this would be `-o` with the value `utput=srt`.
    """
    if not re.match(r"-[^\W\d][\w-]", argument):
        return None
    name = argument.partition("=")[0]
    return next((o for o in known if o.startswith("--") and plain(o) == plain(name)), None)


def with_hyphens(argument: str) -> str | None:
    """What begins with a long dash, with `--` in its place; None = it does not."""
    if not argument.startswith(tuple(LONG_DASHES)):
        return None
    return f"--{argument.lstrip(f'{LONG_DASHES}-')}"


def with_usual_dashes(argument: str, known: Sequence[str]) -> str | None:
    """The option that begins with a long dash; None = it does not, or there is none like it."""
    hyphened = with_hyphens(argument)
    name = plain(hyphened.partition("=")[0]) if hyphened is not None else ""
    if not name:
        return None
    exact = [option for option in known if plain(option) == name]
    return next(iter(exact), None) or near_option(name, known)


def nearest(word: str, words: Sequence[str]) -> str | None:
    """The one of `words` that was probably meant; None = there is none like it."""
    longer = [other for other in words if len(word) >= SHORTEST_PART and other.startswith(word)]
    shorter = [other for other in words if len(other) >= SHORTEST_PART and word.startswith(other)]
    close = difflib.get_close_matches(word, words, n=1)
    return next(iter([*longer, *close, *shorter]), None)

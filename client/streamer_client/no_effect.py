"""Options that were given and change nothing in this run: a line about each."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import parse_qsl, urlsplit

from streamer.cli.meant import OPTIONS_OF, meant_option
from streamer_client.option_values import PROGRAM
from streamer_client.options import Options

TOKEN = "token"  # noqa: S105 – a name
"""The parameter of an address that has an effect."""

MOST_NAMED = 5
"""Parameters of an address that are named."""

SIMPLE_PATH = "/api/v1/simple"


def is_simple(address: str) -> bool:
    """Whether an address is for chunks of equal length, also below the prefix of a proxy."""
    return urlsplit(address).path.rstrip("/").endswith(SIMPLE_PATH)


def parameters_without_effect(address: str) -> str | None:
    """The options to give instead of parameters in an address; None = no option is for them.

    The server warns about all of them, in the words of its protocol.
    """
    query = parse_qsl(urlsplit(address).query, keep_blank_values=True)
    names = list(dict.fromkeys(name for name, _ in query if name != TOKEN))[:MOST_NAMED]
    known = OPTIONS_OF[PROGRAM]
    options = [_option_for(name, known) for name in names]
    if not (given := dict.fromkeys(option for option in options if option is not None)):
        return None
    has = "has" if len(names) == 1 else "have"
    named = ", ".join(map(repr, names))
    return f"in the address, {named} {has} no effect; give {', '.join(given)}"


def _option_for(name: str, known: Sequence[str]) -> str | None:
    if name == "keyterms":  # the option of this name takes a file
        return "--keyterm"
    return meant_option(re.sub(r"^(vad|format)\.", "", name), known)


def options_without_effect(
    options: Options, *, on_terminal: bool, gives_words: bool
) -> Iterator[str]:
    """Name each such option, and why it has no effect.

    Args:
        options: Those of the run.
        on_terminal: Whether the transcript is written to a terminal.
        gives_words: Whether the model gives words; if not, the server says so.
    """
    simple = is_simple(options.address)
    if (parameters := parameters_without_effect(options.address)) is not None:
        yield parameters
    if options.interim_results and simple:
        yield f"--interim-results has no effect on {SIMPLE_PATH}: each chunk has one, final result"
    elif options.interim_results and options.output in ("srt", "vtt"):
        yield f"--interim-results has no effect on {options.output}: subtitles have final results"
    if options.eager and options.output in ("srt", "vtt"):
        yield f"--eager has no effect on {options.output}: subtitles have final results"
    if options.vad and simple:
        yield f"--vad has no effect on {SIMPLE_PATH}, which has no voice detection"
    if options.words and gives_words and options.output in ("srt", "vtt"):
        yield f"--words has no effect on {options.output}: subtitles have no confidence of words"
    if options.words and gives_words and options.output == "text" and not on_terminal:
        yield (
            "--words has no effect on text that is not on a terminal: "
            "--output json or jsonl has the words"
        )
    if options.real_time and options.input is None:
        yield "--real-time has no effect with --mic, which is always in real time"

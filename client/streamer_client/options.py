"""What the user asked for: the command's arguments, parsed and checked together."""

import argparse
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from streamer.cli.command_line import CommandLine
from streamer.config.file_problems import file_problem
from streamer.config.paths import exists, is_dir, is_file
from streamer_client.formats import AudioFormat
from streamer_client.misplaced import instead_of_recordings
from streamer_client.option_values import PROGRAM
from streamer_client.parser import RAW_DEFAULTS, build_parser
from streamer_client.transcript import OutputFormat


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. `input` is `None` for the microphone and `-` for standard input."""

    input: str | None
    rate: int
    channels: int
    bit_depth: int
    is_float: bool
    address: str
    chunk_bytes: int | None
    real_time: bool
    as_is: bool
    interim_results: bool
    eager: bool
    words: bool
    keyterms: Sequence[str]
    output: OutputFormat
    output_file: Path | None
    token: str | None
    model: str | None
    vad: Mapping[str, float]
    trace_id: str | None
    timeout_s: float
    reconnect_s: float | None
    verbose: bool
    raw: Mapping[str, int]
    """Those of `--rate`, `--channels`, `--bit-depth` and `--float` that were given."""

    def raw_unlike(self, audio_format: AudioFormat) -> list[str]:
        """Return the options for raw audio that were given and differ from a format."""
        actual = {
            "rate": audio_format.sample_rate,
            "channels": audio_format.channels,
            "bit_depth": audio_format.bit_depth,
            "float": audio_format.is_float,
        }
        return [
            _flag(name) if name == "float" else f"{_flag(name)} {value}"
            for name, value in self.raw.items()
            if value != actual[name]
        ]


OUTPUT_OF_SUFFIX: Mapping[str, OutputFormat] = MappingProxyType(
    {".srt": "srt", ".vtt": "vtt", ".json": "json", ".jsonl": "jsonl", ".txt": "text"}
)
"""What the name of `--output-file` means when there is no `--output`."""


def parse_options(arguments: Sequence[str] | None) -> Options:
    """Parse `arguments`, `sys.argv` when `None`.

    Raises:
        SystemExit: they are wrong, after one line on standard error; or help was asked for.
    """
    parser = build_parser()
    given, rest = parser.parse_known_args(arguments)
    if any(argument.startswith("-") for argument in rest):
        parser.refuse(rest, given)
    given.input = _input(parser, [*given.files, *rest], given)
    raw = {name: value for name in RAW_DEFAULTS if (value := getattr(given, name)) is not None}
    for name, default in RAW_DEFAULTS.items():
        setattr(given, name, raw.get(name, default))
    if given.as_is:
        _check_as_is(parser, given, raw)
    elif given.input != "-" and not given.mic:
        for name, default in RAW_DEFAULTS.items():
            if getattr(given, name) != default:
                parser.error(
                    f"{_flag(name)} is only for raw audio ('-') and --mic: a file has its own"
                )
    if given.mic and (given.bit_depth != 16 or given.float):
        parser.error("--mic records 16-bit integers: leave out --bit-depth and --float")
    if given.float and given.bit_depth not in (32, 64):
        parser.error("--float needs --bit-depth 32 or 64")
    if given.bit_depth == 64 and not given.float:
        parser.error("--bit-depth 64 needs --float")
    output_file: Path | None = given.output_file
    if output_file is not None and not is_dir(output_file.parent):
        parser.error(f"cannot write {output_file}: there is no directory {output_file.parent}")
    if output_file is not None and is_dir(output_file):
        parser.error(f"cannot write {output_file}: it is a directory")
    if output_file is not None and exists(output_file) and not given.mic:
        source = Path(given.input)
        if exists(source) and output_file.samefile(source):
            parser.error(f"{output_file} is the recording itself: give -o another name")
    if output_file is not None and not given.output and _output_of(output_file) is None:
        parser.error(
            f"the ending of {output_file} is not one of {', '.join(OUTPUT_OF_SUFFIX)}: "
            "use one of them, or give the format with --output"
        )
    token: str = given.token or os.environ.get("STREAMER_TOKEN", "")
    if not (token.isascii() and (token == "" or token.isprintable())):
        parser.error("the token has characters that no HTTP header can carry")
    return Options(
        input=None if given.mic else given.input,
        rate=given.rate,
        channels=given.channels,
        bit_depth=given.bit_depth,
        is_float=given.float,
        address=given.addr,
        chunk_bytes=given.chunk_size,
        real_time=given.real_time,
        as_is=given.as_is,
        interim_results=given.interim_results,
        eager=given.eager,
        words=given.words,
        keyterms=_keyterms(parser, given),
        output=given.output or _output_of(output_file) or "text",
        output_file=output_file,
        token=token or None,
        model=given.model,
        vad=dict(given.vad),
        trace_id=given.trace_id,
        timeout_s=given.timeout,
        reconnect_s=given.reconnect,
        verbose=given.verbose,
        raw=raw,
    )


def _input(parser: CommandLine, files: Sequence[str], given: argparse.Namespace) -> str | None:
    """The one recording, however it is given; None = the microphone."""
    inputs = [*files, *([given.input] if given.input is not None else [])]
    if given.mic and inputs:
        parser.error(f"{inputs[0]!r} and --mic are given: leave out one of them")
    if inputs and (instead := instead_of_recordings(inputs, PROGRAM)) is not None:
        parser.error(instead)
    if len(inputs) > 1:
        listed = " and ".join(map(repr, inputs))
        parser.error(
            f"one recording at a time: {listed} are given; for several: for f in *.wav; do "
            f'{PROGRAM} "$f" -o "$f.txt"; done'
        )
    if not inputs and not given.mic and is_file(given.addr):
        file = shlex.quote(given.addr)
        parser.error(f"{given.addr} is a file, and --addr takes an address: {PROGRAM} {file}")
    if not inputs and not given.mic:
        parser.error(
            f"there is nothing to send: give a recording ({PROGRAM} FILE), standard input "
            f"({PROGRAM} -) or the microphone ({PROGRAM} --mic)"
        )
    return inputs[0] if inputs else None


def _check_as_is(parser: CommandLine, given: argparse.Namespace, raw: Mapping[str, int]) -> None:
    if given.mic:
        parser.error("--as-is is for recordings: --mic has samples")
    if given.reconnect is not None:
        parser.error(
            "--as-is and --reconnect are given: leave out one of them, as a recording that is sent "
            "as it is cannot be continued in another connection"
        )
    if given.real_time and given.input == "-":
        parser.error("--as-is with --real-time needs a file: how long '-' is, is not known")
    for name in raw:
        if name != "channels" or given.input != "-":
            parser.error(
                f"{_flag(name)} is only for raw audio: with --as-is, a recording has its own"
            )


def _keyterms(parser: CommandLine, given: argparse.Namespace) -> list[str]:
    """Those of the command line, then those of the file, each once; the server checks them."""
    lines: list[str] = []
    if given.keyterms is not None:
        try:
            lines = given.keyterms.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            problem = file_problem(given.keyterms, error)
            hint = f"; for one term: --keyterm {shlex.quote(str(given.keyterms))}"
            is_file = "/" in str(given.keyterms) or given.keyterms.suffix
            is_term = isinstance(error, FileNotFoundError) and not is_file
            parser.error(f"argument --keyterms: {problem}{hint if is_term else ''}")
    return list(dict.fromkeys([*given.keyterm, *filter(None, map(str.strip, lines))]))


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _output_of(output_file: Path | None) -> OutputFormat | None:
    """The format that the file's name implies; None = there is no file, or its ending is unknown.

    A name without an ending, such as `/dev/stdout` or `transcript`, is for text.
    """
    if output_file is None:
        return None
    return OUTPUT_OF_SUFFIX.get(output_file.suffix.lower()) if output_file.suffix else "text"

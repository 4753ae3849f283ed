"""`streamer-client`: from arguments to an exit code."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TextIO

from streamer.cli.command_line import open_missing_streams
from streamer.config.file_problems import file_problem
from streamer_client.api import connect
from streamer_client.as_is import DECODE_INSTEAD, AsIsFile, AsIsInput
from streamer_client.audio_sources import FileSource, Source
from streamer_client.connection import check_address
from streamer_client.display import make_display
from streamer_client.errors import StreamerError
from streamer_client.event_text import printable
from streamer_client.failures import ExitCode, Progress, explain
from streamer_client.formats import AudioFormat, ContainerFormat
from streamer_client.microphone import Microphone
from streamer_client.no_effect import (
    is_simple,
    options_without_effect,
    parameters_without_effect,
)
from streamer_client.option_values import PROGRAM
from streamer_client.options import Options, parse_options
from streamer_client.pacing import message_bytes
from streamer_client.reconnect import Reconnector
from streamer_client.refusals import shows_token
from streamer_client.run import Run
from streamer_client.standard_input import RawInput, StandardInput
from streamer_client.supply import ReplayBuffer, RewindableSupply, Supply
from streamer_client.tally import Tally
from streamer_client.tracing import begin_trace
from streamer_client.transcript import TIMED_OUTPUTS, make_formatter
from streamer_client.undecoded import decoder_is_installed, needs_decoder
from streamer_client.wav_input import NAME as STANDARD_INPUT


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A transcript can be in any language; a legacy locale must not end it.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace")
    try:
        options = _parsed(arguments)
        code = asyncio.run(_run(options))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has closed it, as `head` does. Flushing at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    return code


def _parsed(arguments: Sequence[str] | None) -> Options:
    try:
        return parse_options(arguments)
    except SystemExit:  # after --help, whose text may still wait to be written
        sys.stdout.flush()
        raise


async def _run(options: Options) -> int:
    progress = Progress()
    run: Run | None = None
    try:
        check_address(options.address)
        async with AsyncExitStack() as stack:
            trace_id = stack.enter_context(begin_trace(options.trace_id))
            source = await _open_source(options, stack)
            _check_undecoded(source, options)
            warnings = _Warnings(source, options.input)
            warnings.show()
            progress = Progress(source.duration_s)
            open_stream = partial(
                connect,
                options.address,
                **source.format.settings(),
                interim_results=options.interim_results,
                eager=options.eager,
                words=options.words or options.output in TIMED_OUTPUTS,
                keyterms=options.keyterms,
                vad=options.vad,
                model=options.model,
                token=options.token,
                trace_id=trace_id,
                timeout_s=options.timeout_s,
            )
            async with Reconnector(open_stream, options.reconnect_s, _print) as reconnector:
                stream = await reconnector.open()
                out = _open_output(options, stack)
                for line in options_without_effect(
                    options, on_terminal=out.isatty(), gives_words=stream.gives_words
                ):
                    _print(f"{PROGRAM}: {line}")
                formatter = make_formatter(options.output, source.format.channels)
                out.write(formatter.header)
                out.flush()
                display = make_display(
                    formatter,
                    out,
                    as_text=options.output == "text",
                    duration_s=source.duration_s,
                )
                chunk_bytes = options.chunk_bytes or message_bytes(
                    source.format, live=source.live or options.real_time
                )
                supply: Supply = (
                    ReplayBuffer(source, chunk_bytes)
                    if not source.replayable
                    else RewindableSupply(source, chunk_bytes)
                )
                reconnector.show = display.note
                run = Run(
                    source,
                    supply,
                    display,
                    options.real_time,
                    options.verbose,
                    words_expected=options.words,
                    parameters_named=parameters_without_effect(options.address) is not None,
                    tally=Tally(simple=is_simple(options.address)),
                )
                reader_gone = False
                try:
                    with display:
                        await run.to_end(stream, reconnector)
                except BrokenPipeError:
                    reader_gone = True
                    raise
                finally:
                    if not reader_gone:
                        warnings.show()
                        if unheard := run.tally.unheard():
                            sys.stderr.write(f"{unheard}\n")
                        if run.tally.undecodable and (advice := _to_decode(options)):
                            _print(f"{PROGRAM}: {advice}")
                        if empty := run.tally.without_output():
                            sys.stderr.write(f"{empty}\n")
                        sys.stderr.write(run.tally.summary(stream.trace_id) + "\n")
                return _outcome(run.tally, live=source.live)
    except StreamerError as error:
        sent_s = run.tally.sent_s if run else 0.0
        progress = Progress(progress.duration_s, sent_s, started=run is not None)
        token_given = shows_token(options.address, options.token)
        return _fail(*explain(error, options.address, progress, token_given=token_given))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = options.output_file or "standard output"
        return _fail(ExitCode.USAGE, file_problem(where, error, "write"))


class _Warnings:
    """Shows what is missing in a source, each sentence once: before it is sent, or behind it."""

    def __init__(self, source: Source, path: str | None) -> None:
        self._source = source
        self._name = STANDARD_INPUT if path == "-" else path
        self._shown = 0

    def show(self) -> None:
        """Show those that are new."""
        warnings = self._source.warnings
        for warning in warnings[self._shown :]:
            _print(printable(f"{PROGRAM}: {self._name}: {warning}"))
        self._shown = max(self._shown, len(warnings))


async def _open_source(options: Options, stack: AsyncExitStack) -> Source:
    if options.input is None:
        return stack.enter_context(Microphone(options.rate, options.channels))
    if options.input == "-" and options.as_is:
        return await stack.enter_async_context(AsIsInput(sys.stdin.buffer, options.channels))
    if options.input == "-":
        audio_format = AudioFormat(
            options.rate, options.channels, options.bit_depth, is_float=options.is_float
        )
        standard_input = StandardInput(sys.stdin.buffer, audio_format, raw_given=bool(options.raw))
        source = await stack.enter_async_context(standard_input)
        found = source.format
        if isinstance(source, RawInput) or isinstance(found, ContainerFormat):
            return source
        if ignored := options.raw_unlike(found):
            _print(
                f"{PROGRAM}: {STANDARD_INPUT} has a header, which counts: {found}; "
                f"ignored: {', '.join(ignored)}"
            )
        return source
    if options.as_is:
        return stack.enter_context(AsIsFile(options.input, real_time=options.real_time))
    return stack.enter_context(FileSource(options.input))


def _check_undecoded(source: Source, options: Options) -> None:
    """Refuse what cannot be done with a recording that the server is to decode.

    Raises:
        AudioFileError: With the packages that decode it here.
    """
    if options.as_is or not isinstance(source.format, ContainerFormat):
        return
    for option, given in (
        ("--real-time", options.real_time),
        ("--reconnect", options.reconnect_s is not None),
    ):
        if given:
            raise needs_decoder(options.input or STANDARD_INPUT, option)


def _to_decode(options: Options) -> str | None:
    """What to do if the server cannot decode a recording."""
    if not decoder_is_installed():
        return str(needs_decoder(options.input or STANDARD_INPUT, "this recording"))
    return DECODE_INSTEAD if options.as_is else None


def _open_output(options: Options, stack: AsyncExitStack) -> TextIO:
    if options.output_file is None:
        return sys.stdout
    return stack.enter_context(options.output_file.open("w", encoding="utf-8"))


def _outcome(tally: Tally, *, live: bool) -> int:
    if tally.errors:
        what = "an error" if tally.errors == 1 else f"{tally.errors} errors"
        return _fail(ExitCode.SERVER_ERRORS, f"the server reported {what}; parts may be missing")
    if tally.lost_s:
        return _fail(ExitCode.LOST, f"{tally.lost_s:.1f} s of audio were lost; see above")
    if tally.interrupted and not live:
        return _fail(ExitCode.INTERRUPTED, "interrupted")
    return ExitCode.OK


def _print(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _fail(code: ExitCode, line: str) -> int:
    sys.stderr.write(f"{PROGRAM}: {line}\n")
    return code

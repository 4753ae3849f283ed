"""The two functions to begin with: a live stream, and a whole file."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from os import PathLike
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection

from streamer_client.argument_names import with_known_names
from streamer_client.argument_types import check_types
from streamer_client.connection import close_websocket, open_websocket
from streamer_client.errors import ServerError
from streamer_client.file_events import FileEvents
from streamer_client.formats import AudioFormat, ContainerFormat
from streamer_client.opening import OpeningStream
from streamer_client.stream import UNKNOWN_CODE, Stream
from streamer_client.tracing import new_trace_id
from streamer_client.wrong_path import no_answer_from, other_protocol_at

DEFAULT_URL = "ws://localhost:8080/api/v1/segmented"

Encoding = Literal["pcm", "mulaw", "alaw", "auto"]


@with_known_names
def connect(
    url: str = DEFAULT_URL,
    *,
    sample_rate: int = 16_000,
    channels: int = 1,
    bit_depth: int = 16,
    is_float: bool = False,
    encoding: Encoding | None = None,
    interim_results: bool = False,
    words: bool = False,
    keyterms: Sequence[str] = (),
    vad: Mapping[str, float] | None = None,
    model: str | None = None,
    token: str | None = None,
    trace_id: str | None = None,
    timeout_s: float = 10.0,
    eager: bool = False,
) -> OpeningStream:
    """Open a stream for interleaved little-endian audio; the connection closes with the context.

    For `async with connect(…) as stream:`. With `encoding="auto"` the audio is the bytes of a
    container (WebM, Ogg, MP3, FLAC, AAC, WAV, …) as they come, and the server decodes them.

    Args:
        url: `ws://host:port/api/v1/segmented` or `…/simple`.
        sample_rate: frames per second of what will be sent; the server resamples. With `auto` it
            has no effect, nor have `bit_depth` and `is_float`.
        channels: interleaved channels; each has events of its own. With `auto`: as many as the
            container has, or 1 for a mix of them.
        bit_depth: bits per sample: 8 (unsigned), 16, 24, 32, 64.
        is_float: whether samples are floats (32 or 64 bits).
        encoding: `mulaw` or `alaw` for 8-bit companded samples; `auto` for a container.
        interim_results: ask for `interim` events.
        words: ask for the words of each `segment`, with times and confidence.
        keyterms: up to 100 names and rare words that are likelier than usual.
        vad: settings of the voice detection, such as `{"min_silence_ms": 300}`.
        model: one of the server's models by name; its first when `None`.
        token: sent as `Authorization: Bearer`.
        trace_id: a W3C `traceparent` to continue, or a trace id; a new trace when `None`.
        timeout_s: seconds to wait for the connection, and again for the stream to start.
        eager: ask for an `interim` in each pause, marked as the `segment` that it becomes if the
            silence holds; `resumed` follows if not.

    Raises:
        InvalidAddress: `url` is not a WebSocket URL.
        TypeError: an argument is of another type, such as one text as `keyterms`; at the call.
        CannotConnect: nothing usable answers there, or not in time.
        Unauthorized: the server requires another token.
        ServerError: the server does not accept these settings.
    """
    check_types(locals())
    audio_format: dict[str, Any] = {"channels": channels}
    if encoding != "auto":
        audio_format |= {
            "sample_rate": sample_rate,
            "bit_depth": bit_depth,
            "is_float": is_float,
        }
    if encoding is not None:
        audio_format["encoding"] = encoding
    bytes_per_second = max(1, sample_rate * channels * bit_depth // 8)
    samples = (bit_depth, is_float)
    if encoding == "auto":
        bytes_per_second, samples = 0, (8, False)

    async def opened() -> AsyncIterator[Stream]:
        request = _start_request(
            audio_format, interim_results, words, keyterms, vad, model, trace_id, eager
        )
        websocket, stream = await _open_stream(
            url, request, bytes_per_second, token, timeout_s, samples
        )
        try:
            yield stream
        finally:
            await close_websocket(websocket)

    return OpeningStream(opened)


@with_known_names
def transcribe(
    path: str | PathLike[str],
    url: str = DEFAULT_URL,
    *,
    interim_results: bool = False,
    words: bool = False,
    keyterms: Sequence[str] = (),
    vad: Mapping[str, float] | None = None,
    model: str | None = None,
    token: str | None = None,
    trace_id: str | None = None,
    timeout_s: float = 10.0,
    eager: bool = False,
) -> FileEvents:
    """Send the audio file at `path`, yielding events as they come. Arguments are as in `connect`.

    A loop over the events may be left early: that closes the connection.

    What is missing of a file that is damaged or cut off is logged by the logger `streamer_client`.

    Raises:
        TypeError: an argument is of another type; at the call.
        AudioFileError: the file cannot be read.
        StreamerError: as `connect` and iterating a `Stream` raise.
    """
    check_types(locals())

    async def open_stream(
        audio_format: AudioFormat | ContainerFormat,
    ) -> tuple[ClientConnection, Stream]:
        settings = {k: v for k, v in audio_format.settings().items() if v is not None}
        request = _start_request(
            settings, interim_results, words, keyterms, vad, model, trace_id, eager
        )
        return await _open_stream(url, request, audio_format.bytes_per_second, token, timeout_s)

    return FileEvents(path, open_stream)


def _start_request(
    audio_format: Mapping[str, object],
    interim_results: bool,
    words: bool,
    keyterms: Sequence[str],
    vad: Mapping[str, float] | None,
    model: str | None,
    trace_id: str | None,
    eager: bool,
) -> dict[str, Any]:
    request: dict[str, Any] = {
        "request": "start",
        "trace_id": trace_id or new_trace_id(),
        "format": audio_format,
        "interim_results": interim_results,
    }
    if words:
        request["words"] = True
    if keyterms:
        request["keyterms"] = list(keyterms)
    if vad:
        request["vad"] = dict(vad)
    if model is not None:
        request["model"] = model
    if eager:
        request["eager"] = True
    return request


async def _open_stream(
    url: str,
    request: Mapping[str, Any],
    bytes_per_second: int,
    token: str | None,
    timeout_s: float,
    samples: tuple[int, bool] | None = None,
) -> tuple[ClientConnection, Stream]:
    websocket = await open_websocket(url, token, timeout_s)
    try:
        stream = Stream(websocket, bytes_per_second, samples)
        async with asyncio.timeout(timeout_s):
            await stream.start(request)
    except BaseException as error:
        await close_websocket(websocket)
        if isinstance(error, ServerError) and error.code == UNKNOWN_CODE:
            raise other_protocol_at(url) from error
        if not isinstance(error, TimeoutError):
            raise
        raise no_answer_from(url, timeout_s) from error
    return websocket, stream

"""A decoder process: one recording in, messages of `link.py` out, and gone."""

import os
import socket
from typing import BinaryIO, cast

import msgspec

from streamer.recordings import link
from streamer.recordings.decoding import Decoding
from streamer.recordings.errors import AudioFileError
from streamer.recordings.live import decode_live


def run(body_fd: int, answers: socket.socket) -> None:
    """Decode a recording or a live stream; it waits while the answers are not read.

    Args:
        body_fd: The recording, a file that can seek; or a socket from which the stream comes.
        answers: Takes the messages.
    """
    try:
        if link.is_live(body_fd):
            with socket.socket(fileno=body_fd) as incoming:
                decode_live(incoming, answers)
            return
        with os.fdopen(body_fd, "rb", buffering=0) as file:
            decode(cast("BinaryIO", file), answers)
    except AudioFileError as error:
        _send(answers, link.REFUSAL, msgspec.json.encode(link.Refusal(str(error), error.code)))
    except MemoryError:
        text = "decoding it takes more memory than a recording may use; it is damaged or malicious"
        _send(answers, link.REFUSAL, msgspec.json.encode(link.Refusal(text)))


def decode(file: BinaryIO, answers: socket.socket) -> None:
    """Decode an open file."""
    decoding = Decoding(file, "the body")
    _send(answers, link.HEADER, msgspec.json.encode(decoding.header))
    for rows in decoding.blocks(max(1, round(link.BLOCK_S * decoding.header.sample_rate))):
        _send(answers, link.BLOCK, rows.data.cast("B"))
    _send(answers, link.REPORT, msgspec.json.encode(decoding.report()))


def _send(answers: socket.socket, kind: bytes, body: bytes | memoryview) -> None:
    answers.sendall(link.PREFIX.pack(kind, len(body)))
    answers.sendall(body)

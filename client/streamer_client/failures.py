"""The line that a person sees when something goes wrong, and its exit code."""

from dataclasses import dataclass
from enum import IntEnum

from streamer_client.errors import (
    AudioFileError,
    CannotConnect,
    ConnectionLost,
    InvalidAddress,
    ServerError,
    ServerGoingAway,
    StreamerError,
    Unauthorized,
)
from streamer_client.event_text import printable
from streamer_client.refusals import LATER, shows_token
from streamer_client.wrong_path import shown


class ExitCode(IntEnum):
    """Exit codes of `streamer-client`."""

    OK = 0
    USAGE = 2
    CANNOT_CONNECT = 3
    REFUSED = 4
    LOST = 5
    SERVER_ERRORS = 6
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the stream had come, in seconds; `None` = unknown."""

    duration_s: float | None = None
    sent_s: float = 0.0
    started: bool = False


def explain(
    error: StreamerError, address: str, progress: Progress, *, token_given: bool
) -> tuple[ExitCode, str]:
    """Return the exit code for `error`, and one line with the remedy."""
    code, line = _explain(error, address, progress, token_given)
    return code, printable(line)


def _explain(
    error: StreamerError, address: str, progress: Progress, token_given: bool
) -> tuple[ExitCode, str]:
    match error:
        case AudioFileError() | InvalidAddress():
            return ExitCode.USAGE, str(error)
        case CannotConnect(status=403 | 404):
            return ExitCode.CANNOT_CONNECT, str(error)  # it has the remedy
        case CannotConnect(status=status) if status in LATER:
            after = f"{error.retry_after_s:g} s" if error.retry_after_s else "a while"
            return ExitCode.CANNOT_CONNECT, f"{error}; try again in {after}"
        case (
            CannotConnect(meant=str())
            | CannotConnect(tls_failed=True)
            | CannotConnect(answered=True)
        ):
            return ExitCode.CANNOT_CONNECT, str(error)
        case CannotConnect(status=None):
            return ExitCode.CANNOT_CONNECT, (
                f"{error}; start a server with 'make run' or give its address with -a"
            )
        case CannotConnect():
            return ExitCode.CANNOT_CONNECT, f"{error}; check the address given with -a"
        case Unauthorized(forbidden=True):
            rules = "who runs the server, or the proxy before it, can allow this client"
            token = "" if token_given else "; if it requires a token, give one with --token"
            return ExitCode.REFUSED, f"{error}; {rules}{token}"
        case Unauthorized() if not token_given:
            # Without the server's own advice, which is for people who write clients.
            needed = f"the server at {shown(address)} requires a token"
            return ExitCode.REFUSED, f"{needed}: give one with --token or in STREAMER_TOKEN"
        case Unauthorized():
            in_address = shows_token(address, None)
            where = "in the address" if in_address else "with --token or in STREAMER_TOKEN"
            return ExitCode.REFUSED, f"{error}; give another {where}"
        case ServerGoingAway() if not progress.started:
            return ExitCode.LOST, f"{error}; try again in a while"
        case ServerGoingAway():
            return ExitCode.LOST, f"{error}; {_unsent(error.received_s, progress)}"
        case ConnectionLost():
            return ExitCode.LOST, f"{error}; {_unsent(None, progress)}"
        case ServerError(code="overloaded") if not progress.started:
            refused = f"the server did not accept the stream: {error.message}"
            return ExitCode.REFUSED, f"{refused}; try again in a while"
        case ServerError() if not progress.started:
            return ExitCode.REFUSED, f"the server did not accept the stream: {error}"
        case ServerError(code="overloaded"):
            return ExitCode.LOST, (
                f"the server is overloaded: {error.message}; try again later, or with --real-time"
            )
        case ServerError(code="session_too_long"):
            return ExitCode.LOST, (
                f"the server ended the stream: {error.message}; "
                "with --reconnect, the client goes on in another stream"
            )
        case ServerError(code="too_large"):
            return ExitCode.LOST, f"{error.message}; give a smaller --chunk-size"
        case _:
            return ExitCode.LOST, f"the server ended the stream: {error}"


def _unsent(received_s: float | None, progress: Progress) -> str:
    """Describe how much audio the server did not receive; `received_s` is its own count."""
    done_s = progress.sent_s if received_s is None else received_s
    if progress.duration_s is None or done_s > progress.duration_s:  # its header can be wrong
        return f"{done_s:.1f} s of audio had been sent"
    left_s = max(0.0, progress.duration_s - done_s)
    return f"{left_s:.1f} s of {progress.duration_s:.1f} s of audio were unsent"

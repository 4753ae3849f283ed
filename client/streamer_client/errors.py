"""Everything this package raises on purpose. All of it is a `StreamerError`."""


class StreamerError(Exception):
    """Base of every error of this package."""


class AudioFileError(StreamerError):
    """The audio cannot be read; the message names the file and the problem."""


class InvalidAddress(StreamerError):
    """The address is not a `ws://` or `wss://` URL."""


class CannotConnect(StreamerError):
    """No stream could be opened at the address.

    `status` is the HTTP status the server refused the upgrade with, `None` when nothing that
    speaks HTTP answered. `retry_after_s` is the server's own advice, when it gave any. `meant` is
    the address that was probably meant; the message has it, too. `tls_failed` is whether something
    answered, and no TLS connection to it is possible; `answered` is whether a WebSocket was opened,
    and no stream. The message then says what to do.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        meant: str | None = None,
        tls_failed: bool = False,
        answered: bool = False,
    ) -> None:
        super().__init__(message)
        self.answered = answered
        self.status = status
        self.tls_failed = tls_failed
        self.meant = meant
        self.retry_after_s = retry_after_s


class StreamEnded(StreamerError):
    """Base of the ways an open stream ends before it is complete."""


class Unauthorized(StreamEnded):
    """The server requires a token, or refuses the one it got, or refuses this client.

    The message has the server's reason. `forbidden` is whether it is not the token that was refused
    (HTTP 403): a server's rules or a proxy's exclude this client.
    """

    def __init__(self, message: str, *, forbidden: bool = False) -> None:
        super().__init__(message)
        self.forbidden = forbidden


class ServerError(StreamEnded):
    """The server refused to begin the stream, or ended it with a fatal `error` event.

    `code` is the protocol's error code, such as `bad_format` or `overloaded`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ServerGoingAway(StreamEnded):
    """The server shut down before the stream was complete.

    `received_s` is the number of seconds of audio that it acknowledged; `None` = not known.
    """

    def __init__(self, message: str, *, received_s: float | None = None) -> None:
        super().__init__(message)
        self.received_s = received_s


class ConnectionLost(StreamEnded):
    """The connection closed before the stream was complete.

    `close_code` is the WebSocket close code; 1006 = there was no closing handshake.
    """

    def __init__(self, message: str, *, close_code: int) -> None:
        super().__init__(message)
        self.close_code = close_code

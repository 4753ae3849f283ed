"""Is the client idle? Without a timer for each message."""


class IdleDeadline:
    """The deadline of one client. Pure: the time is passed in, in seconds.

    Args:
        limit_s: A client is idle if nothing was received for this long.
        opened_s: When the connection began; counts like a message.
    """

    def __init__(self, limit_s: float, opened_s: float) -> None:
        raise NotImplementedError

    def on_message(self, now_s: float) -> None:
        """A message was received. This is called fifty times a second: remember, and no more."""
        raise NotImplementedError

    def check(self, now_s: float, *, result_is_due: bool) -> float | None:
        """Return when to check again: the earliest time at which the client could be idle.

        None = the client is idle now. While a result is due, the client may wait for the server,
        and is not idle: its time begins anew at each check that finds a result due.
        """
        raise NotImplementedError

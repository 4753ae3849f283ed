"""Text that only grows, from interims that replace each other."""


class GrowingText:
    """What a client has of the text of one segment.

    A word is sent when two successive interims agree on it and on all words before it, and it is
    not the last word of the newer one. What was sent is never taken back. An interim that does not
    begin with the words that were sent adds nothing.
    """

    def __init__(self) -> None:
        raise NotImplementedError

    def interim(self, text: str) -> list[str]:
        """The words that an interim adds."""
        raise NotImplementedError

    def final(self, text: str) -> list[str]:
        """The words that the final text adds, so that the client has all of it.

        If it does not begin with the words that were sent, it adds its words behind as many as were
        sent.
        """
        raise NotImplementedError

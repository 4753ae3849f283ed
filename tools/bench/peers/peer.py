"""What every peer has: a name, a model, a process, and connections to it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass


@dataclass(frozen=True)
class Final:
    """A text that the peer will not change any more.

    Attributes:
        text: What was said.
        utterance: Index of the utterance that it answers, from a peer that is told where speech
            ends; None from others.
        start_s: Seconds of the stream at which it begins; only without `utterance`.
        end_s: At which it ends.
    """

    text: str
    utterance: int | None = None
    start_s: float = 0.0
    end_s: float = 0.0


class Connection(ABC):
    """One stream to a peer. Audio is 16-bit samples at 16 kHz."""

    @abstractmethod
    async def begin_utterance(self) -> None:
        """The audio that follows is speech."""

    @abstractmethod
    async def send(self, pcm: bytes) -> None:
        """Send one message of audio."""

    @abstractmethod
    async def end_utterance(self) -> None:
        """The last audio was the end of an utterance."""

    @abstractmethod
    async def finish(self) -> None:
        """No more audio follows."""

    @abstractmethod
    def finals(self) -> AsyncIterator[Final]:
        """What comes back, until the peer has answered everything or the stream is over."""

    @abstractmethod
    async def close(self) -> None:
        """End it, in whatever state it is."""


class SegmentingConnection(Connection):
    """A stream to a peer that finds the ends of speech itself."""

    async def begin_utterance(self) -> None:
        """Tells it nothing."""

    async def end_utterance(self) -> None:
        """Tells it nothing."""


class Absent(Exception):
    """A peer cannot be measured here; the text is the reason."""


@dataclass(frozen=True)
class Description:
    """What is compared with what.

    Attributes:
        server: Its name, and its version where it is not this repository's.
        model: Its weights.
        told: Whether its client tells it where speech ends, and sends no silence.
        interims: Whether it sends texts before the final ones.
        given: What its client and its settings give it, in words.
        first_streams: Number of streams with which the search for the most begins.
    """

    server: str
    model: str
    told: bool
    interims: bool
    given: str
    first_streams: int

    @property
    def title(self) -> str:
        """On one line."""
        ends = ", told the ends" if self.told else ""
        return f"{self.server}, {self.model}{', interims' if self.interims else ''}{ends}"


class Peer(ABC):
    """A server with one model and one set of options."""

    description: Description

    @abstractmethod
    def serving(self, cores: int) -> AbstractContextManager[tuple[int, int]]:
        """Run it with settings for so many cores.

        Yields:
            Its port and its process id.

        Raises:
            Absent: It is not installed, or it does not start.
        """

    @abstractmethod
    async def connect(self, port: int) -> Connection:
        """Open a stream.

        Raises:
            OSError: It does not accept one.
        """

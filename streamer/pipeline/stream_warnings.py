"""What a stream's client is warned of: audio that is not what it seems, and a lack of speech."""

from collections.abc import Sequence

from streamer.pipeline.account import Account, no_speech, no_speech_yet
from streamer.pipeline.outbox import Outbox
from streamer.protocol.codes import WarningCode
from streamer.protocol.events import WarningEvent

BAD_SAMPLES = "the audio holds samples that are not finite numbers; they were set to zero"
OUT_OF_SCALE = (
    "the float samples are far beyond 1, which is full scale: divide by 32768 if they are integers "
    "of 16 bits (24 bits: by 8388608, 32 bits: by 2147483648)"
)
NOT_PCM = (
    "the audio begins like a file in {} format, and is processed as raw samples in the given "
    "'format': send decoded samples without the header of a file, or send the file to POST "
    "/api/v1/analyze"
)

NO_AUDIO: frozenset[WarningCode] = frozenset({"not_pcm", "out_of_scale"})
"""Warnings that already explain why no speech was found: the samples are not audio."""


class StreamWarnings:
    """Posts warnings; of a lack of speech at most one, and only if it would be news.

    Args:
        outbox: Of the stream.
        speech_expected: Whether speech is looked for.
        live: Whether the client hears of a lack of speech before the stream ends. A recording is
            answered once it is over: what it has so far is not of interest.
    """

    def __init__(self, outbox: Outbox, *, speech_expected: bool, live: bool) -> None:
        self._outbox = outbox
        self._speech_expected = speech_expected
        self._live = live
        self._sent: set[WarningCode] = set()

    def post(self, code: WarningCode, message: str) -> None:
        """Send a warning."""
        self._sent.add(code)
        self._outbox.post(WarningEvent(code=code, message=message))

    def post_once(self, code: WarningCode, message: str) -> None:
        """Send a warning, unless one with this code was sent."""
        if code not in self._sent:
            self.post(code, message)

    def no_speech_yet(self, accounts: Sequence[Account], sample_rate: int) -> None:
        """Warn if there was sound for long, but no speech; arguments as for `no_speech`."""
        if self._live and self._may_lack_speech:
            self._post_no_speech(no_speech_yet(accounts, sample_rate))

    def no_speech(self, accounts: Sequence[Account], sample_rate: int) -> None:
        """Warn at the end if there was sound, but no speech.

        Args:
            accounts: Of all channels; none if the audio was never known.
            sample_rate: The client's, in Hz.
        """
        if accounts and self._may_lack_speech:
            self._post_no_speech(no_speech(accounts, sample_rate))

    @property
    def _may_lack_speech(self) -> bool:
        """Whether a lack of speech would be news: it was not reported, and nothing explains it."""
        return self._speech_expected and not self._sent & {"no_speech", *NO_AUDIO}

    def _post_no_speech(self, text: str | None) -> None:
        if text:
            self.post("no_speech", text)

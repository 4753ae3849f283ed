"""One channel's audio at the detector's rate and at the model's, with one clock for both."""

from streamer.audio.resample import Samples, Track
from streamer.inference.job import SegmentAudio


class AudioTracks:
    """The tracks of detector and model, which are one where both take the same rate.

    All positions are samples of the detector's track. The model's audio of a span is that at the
    same times.

    Args:
        input_rate: Hz. The client's.
        vad_rate: Hz. The detector's.
        model_rate: Hz. The model's.

    Attributes:
        vad: The detector's track.
    """

    def __init__(self, input_rate: int, vad_rate: int, model_rate: int) -> None:
        self._model = Track(input_rate, model_rate)
        self.vad = self._model if vad_rate == model_rate else Track(input_rate, vad_rate)
        self._each = {self.vad, self._model}
        self._cut = (0, 0)
        """The last flush, in samples of the detector's track and of the model's."""
        self._complete = True
        """Whether both tracks hold all that was received, up to the same moment."""

    @property
    def arrived(self) -> int:
        """One past the last sample that both tracks hold.

        One resampler may lag behind the other; a segment must not end where audio is missing.
        """
        return min(self.vad.end, self._model.end * self.vad.rate // self._model.rate)

    def push(self, samples: Samples) -> None:
        """Take float32 [n] at the client's rate."""
        self._complete = False
        for track in self._each:
            track.push(samples)

    def cut(self) -> None:
        """Output everything that was pushed; the stream goes on, and begins anew after it."""
        for track in self._each:
            track.cut()
        self._complete = True

    def cut_done(self) -> None:
        """All up to the last cut is segmented: positions after it are counted from there."""
        self._cut = (self.vad.end, self._model.end)

    def finish(self) -> None:
        """Output everything that was pushed; nothing may be pushed afterwards."""
        for track in self._each:
            track.finish()
        self._complete = True

    def discard_before(self, position: int) -> None:
        """No segment can begin before this sample any more."""
        self.vad.buffer.discard_before(position)
        self._model.buffer.discard_before(self._on_model_track(position))

    def release(self) -> None:
        """Discard everything that is held."""
        for track in self._each:
            track.release()

    def extract(self, start: int, end: int) -> tuple[SegmentAudio, float, float]:
        """The model's audio of a span, and its start and end in seconds."""
        first, last = self._on_model_track(start), self._on_model_track(end)
        audio = self._model.buffer.pieces(first, last)
        return audio, self.seconds(start), self.seconds(end)

    def seconds(self, position: int) -> float:
        """The time of a sample, in seconds from the start of the stream."""
        return position / self.vad.rate

    def _on_model_track(self, position: int) -> int:
        vad, model = self.vad, self._model
        if self._complete and position == vad.end:
            return model.end
        cut, model_cut = self._cut
        if position == cut:
            return model_cut
        return min(max(round(position * model.rate / vad.rate), model_cut), model.end)

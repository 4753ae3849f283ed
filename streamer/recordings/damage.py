"""What is missing of a recording, or could not be decoded: counted, and said in sentences."""

from collections.abc import Iterable
from typing import NamedTuple

from av.audio.stream import AudioStream
from av.packet import Packet

from streamer.recordings.riff import seconds_text

GAP_S = 0.5
"""Seconds that time stamps have to leave out to be called a gap: a codec that sends nothing in
silence (DTX) leaves out less."""

MAX_NOTES = 8
"""Sentences about single parts of a file; a file may have thousands of parts."""

_EXACT_TIMES = frozenset(("FLAC",))
"""Containers whose time stamps count samples; there every gap is damage."""

_TIMED = frozenset(("FLAC", "MP4", "WebM", "WMA"))
"""Containers with time stamps of their own."""

_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN", b"3DI")
_DEMUXERS = ("matroska", "asf")
_HARMLESS = "unknown-length element"  # another file that was appended


class LogLine(NamedTuple):
    """A line of FFmpeg's log: its level, who wrote it, what."""

    level: int
    name: str
    text: str


class Damage:
    """Counts what goes wrong while one recording is decoded.

    Args:
        kind: Its container.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._part_kind = kind
        self._notes: list[str] = []
        self._more_notes = 0
        self._packet_bytes = 0
        self._first_s = 0.0
        self._gaps_s = 0.0
        self._first_gap_s = 0.0
        self._expected: int | None = None
        self._complaint = ""
        self.packets = 0
        """That could not be decoded."""
        self.frames = 0
        """That were decoded, though the codec found them damaged."""
        self.reads = 0
        """Times that the demuxer found no next packet where one should be."""
        self.gap_bytes = 0
        """Bytes that belong to no page of an OGG file."""
        self.pages = 0
        """Of an OGG file, whose checksum is wrong."""

    @property
    def found(self) -> bool:
        """Whether there is something to say in `sentences`, whatever the length."""
        counted = self.packets + self.frames + self.reads + self.gap_bytes + self.pages
        return bool(counted or self._notes or self._gaps_s or self._complaint)

    def note(self, sentence: str) -> None:
        """Something that is not counted."""
        if len(self._notes) < MAX_NOTES:
            self._notes.append(sentence)
        else:
            self._more_notes += 1

    def left_out(self, kind: str, problem: Exception) -> None:
        """A later file in the same file cannot be decoded."""
        self.note(f"another {kind} file follows in the same file, and is left out: {problem}")

    def new_part(self, kind: str) -> None:
        """Another file begins in the same file, of a kind of its own; its time begins anew."""
        self._part_kind = kind
        self._expected = None

    def undecodable(self, packet: "Packet[AudioStream]", at_s: float) -> None:
        """Count a packet, unless it is a tag or nothing: those are no audio."""
        data = bytes(packet)
        if data.startswith(_TAGS) or not data.strip(b"\0"):
            return
        if not self.packets:
            self._first_s = at_s
        self.packets += 1
        self._packet_bytes += len(data)

    def timed(self, packet: "Packet[AudioStream]", at_s: float) -> None:
        """Look for a gap in the time stamps before a packet."""
        if self._part_kind not in _TIMED or packet.pts is None or packet.time_base is None:
            return
        if self._expected is not None:
            gap_s = float((packet.pts - self._expected) * packet.time_base)
            if gap_s > (0.0 if self._part_kind in _EXACT_TIMES else GAP_S):
                self._first_gap_s = self._first_gap_s if self._gaps_s else at_s
                self._gaps_s += gap_s
        self._expected = packet.pts + (packet.duration or 0) if packet.duration else None

    def logged(self, lines: Iterable[tuple[int, str, str]]) -> None:
        """Remember what FFmpeg's demuxer complained of first."""
        for _, name, text in lines:
            if not self._complaint and name.startswith(_DEMUXERS) and _HARMLESS not in text:
                self._complaint = text.strip().lower()

    def sentences(self, declared_s: float, found_s: float, missing_s: float) -> list[str]:
        """What happened; empty when nothing did.

        Args:
            declared_s: As the header says.
            found_s: As decoded.
            missing_s: The difference; 0 = nothing, or unknown.
        """
        kind = self._kind
        said = []
        if missing_s:
            said.append(
                f"the {kind} file ends early or is damaged: its header declares "
                f"{seconds_text(declared_s)}, {seconds_text(found_s)} are there, "
                f"{seconds_text(missing_s)} are missing"
            )
        said += self._notes
        if self._more_notes:
            said.append(f"{self._more_notes} more parts of the file are damaged or left out")
        if self.packets:
            said.append(
                f"the {kind} file is damaged near {seconds_text(self._first_s)}: "
                f"{self.packets} packets ({self._packet_bytes} bytes) could not be decoded and "
                "were skipped"
            )
        if self.frames:
            said.append(f"{self.frames} frames of the {kind} file are damaged or not complete")
        if self.gap_bytes:
            said.append(
                f"the {kind} file is damaged or ends early: {self.gap_bytes} bytes belong to no "
                "whole page and were skipped"
            )
        if self.pages:
            said.append(
                f"{self.pages} pages of the {kind} file are damaged (their checksum is wrong); "
                "parts of their audio may be noise or missing"
            )
        if self._gaps_s and not missing_s:
            said.append(
                f"the {kind} file holds no audio for {seconds_text(self._gaps_s)} near "
                f"{seconds_text(self._first_gap_s)}: it is damaged, or its recorder paused"
            )
        if not said and (self.reads or self._complaint):
            why = f" ({self._complaint})" if self._complaint else ""
            said.append(
                f"the {kind} file is damaged or ends early{why}; how much is missing is unknown"
            )
        return said

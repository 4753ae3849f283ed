import pytest

from streamer.subtitles.cues import Cue, TimedText, cues_of
from streamer.subtitles.formats import srt_cue, vtt_cue


def cue(text: str, channels: int = 1, channel: int = 0) -> Cue:
    return cues_of([TimedText(0, 1, text, channel)], channels)[0]


def test_srt_cue_has_number_comma_times_and_a_blank_line() -> None:
    shown = Cue(3_200, 0, 3_725_999, ("hello", "there"), None)
    assert srt_cue(shown, 3) == "3\n00:00:03,200 --> 01:02:05,999\nhello\nthere\n\n"


def test_vtt_cue_has_point_times() -> None:
    shown = Cue(0, 0, 60_000, ("hello",), None)
    assert vtt_cue(shown) == "00:00:00.000 --> 00:01:00.000\nhello\n\n"


def test_srt_text_can_neither_end_its_cue_nor_look_like_times() -> None:
    written = srt_cue(cue("one\n\n2\n00:00 --> 00:01\r\nx", 2, 1), 1)
    assert written == "1\n00:00:00,000 --> 00:00:01,000\n[channel 2] one 2 00:00 → 00:01 x\n\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("<v Bob>--> hi", "&lt;v Bob&gt;--&gt; hi"),
        ("a\n\nb", "a b"),
    ],
)
def test_vtt_text_is_escaped(text: str, written: str) -> None:
    assert vtt_cue(cue(text)).splitlines()[1] == written


def test_vtt_speaker_is_a_voice_tag() -> None:
    assert vtt_cue(cue("hi", 2)).splitlines()[1] == "<v channel 1>hi"


def test_a_mark_comes_once_in_a_cue_of_two_lines() -> None:
    shown = cue("When the rain had stopped, all of us went out again.", 2, 1)
    assert srt_cue(shown, 1).splitlines()[2:4] == [
        "[channel 2] When the rain had stopped,",
        "all of us went out again.",
    ]
    assert vtt_cue(shown).count("<v channel 2>") == 1

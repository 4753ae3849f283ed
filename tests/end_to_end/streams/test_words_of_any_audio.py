"""Words of audio at other rates, on several channels, in cut segments, and after a pause."""

from itertools import pairwise

import numpy as np
import pytest
import soxr

from tests.end_to_end.http.posting import analyzed, wav
from tests.end_to_end.streams.test_pauses import FIRST, SECOND, send_paced
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import BECKETT, beckett, encode, recording, word_error_rate
from tools.harness.streams import check_stream, client, events_of, stream_audio

SHIFT_S = 2.048
"""Seconds: 64 windows of the detector, at 16 kHz."""


def words_of(events: list[Event], channel: int = 0) -> list[Event]:
    segments = events_of(events, "segment", channel=channel)
    return [word for segment in segments for word in segment["words"]]


def assert_moved(found: list[Event], expected: list[Event], later_s: float) -> None:
    """Assert that most words are the same, and that these are where they were, but later."""
    texts, expected_texts = ([word["text"] for word in words] for words in (found, expected))
    assert word_error_rate(" ".join(expected_texts), " ".join(texts)) <= 0.2
    for one, other in zip(found, expected, strict=False):
        if one["text"] == other["text"]:
            for edge in ("start_time", "end_time"):
                assert one[edge] == pytest.approx(other[edge] + later_s, abs=0.12), one["text"]


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 96_000])
async def test_audio_at_another_rate_has_its_words_at_the_same_times(
    transcriber: Server, rate: int
) -> None:
    samples, own_rate = recording("beckett.wav")
    expected = words_of(await stream_audio(transcriber, beckett(), words=True))
    audio = encode(soxr.resample(samples, own_rate, rate), rate)
    assert_moved(words_of(await stream_audio(transcriber, audio, words=True)), expected, 0.0)


async def test_each_channel_has_its_own_words(transcriber: Server) -> None:
    """With interims, which have none."""
    samples, rate = recording("beckett.wav")
    silence = np.zeros(round(SHIFT_S * rate))
    both = np.stack([np.append(samples, silence), np.append(silence, samples)], axis=1)
    events = await stream_audio(
        transcriber, encode(both, rate), words=True, interim_results=True, sizes=(3_200,)
    )
    expected = words_of(await stream_audio(transcriber, beckett(), words=True))
    assert words_of(events, 0) == expected
    assert_moved(words_of(events, 1), expected, SHIFT_S)
    assert not any("words" in event for event in events_of(events, "interim"))
    answer = analyzed(transcriber, wav(both, rate), words="true")
    found = [segment["words"] for segment in answer["segments"] if segment["channel"] == 0]
    assert [word for words in found for word in words] == expected


async def test_words_of_segments_that_are_cut_do_not_overlap(transcriber: Server) -> None:
    """The second half of a word that is cut has no earlier time than the first."""
    settings = {"max_segment_ms": 1_000, "min_silence_ms": 2_000, "prefix_padding_ms": 100}
    events = await stream_audio(transcriber, beckett(), words=True, vad=settings)
    segments = events_of(events, "segment")
    assert any(one["end_time"] == other["start_time"] for one, other in pairwise(segments))
    words = words_of(events)
    assert len(words) > 8
    assert all(one["end_time"] <= other["start_time"] for one, other in pairwise(words))


async def test_words_after_a_pause_of_the_client(transcriber: Server) -> None:
    """A pause has no duration: times are counted in samples."""
    async with client(transcriber) as socket:
        await socket.start(words=True)
        await send_paced(socket, FIRST, 0.1)
        events = await socket.events_until("segment")
        await send_paced(socket, SECOND, 0.1)
        await socket.send_request("stop", disconnect=True)
        events += await socket.events_until_close()
    check_stream(events)
    first, second = events_of(events, "segment")
    assert word_error_rate(BECKETT[:24], f"{first['text']} {second['text']}") <= 0.25
    assert first["words"][-1]["end_time"] <= FIRST.seconds <= second["words"][0]["start_time"]
    assert second["words"][-1]["end_time"] <= FIRST.seconds + SECOND.seconds

"""Settings of Flux: in the query, and in a `Configure`."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from streamer.access.deepgram_errors import request_id_of
from streamer.audio.format import AudioFormat
from streamer.config.segmentation import VadConfig
from streamer.dialects.deepgram.flux import FluxDialect
from streamer.http.deepgram_query import ServedModel
from streamer.protocol.actions import Close, Outgoing, Reply
from streamer.protocol.events import Configured, Interim
from streamer.protocol.inputs import (
    ConfigureRequested,
    FlushRequested,
    Input,
    ReplyRequested,
    StartRequested,
)
from streamer.protocol.requests import Configure
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest
from tests.dialects.deepgram.test_incoming_audio import wave_file
from tests.dialects.played_events import STARTED

RAW = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": "16000"}


def opened(**options: str) -> tuple[FluxDialect, Opening]:
    dialect = FluxDialect([ServedModel("tiny", "moonshine", ("en",))], 8, VadConfig())
    query = [*options.items()]
    request = UpgradeRequest("/v2/listen", query, {}, (), session_id="f" * 16)
    return dialect, dialect.open(request)


def test_several_channels_are_one_speaker() -> None:
    _, opening = opened(**RAW, channels="2", multichannel="false")
    (begun,) = opening.inputs
    assert isinstance(begun, StartRequested)
    assert begun.start.format.channels == 1


def read(dialect: FluxDialect, **message: Any) -> Sequence[Input]:
    return list(dialect.read(json.dumps(message)))


def test_what_a_query_means() -> None:
    dialect, opening = opened(**RAW, keyterm="Oslo", eot_timeout_ms="500.0")
    (begun,) = opening.inputs
    assert isinstance(begun, StartRequested)
    assert begun.start.interim_results
    assert begun.start.keyterms == ("Oslo",)
    assert begun.start.vad.min_silence_ms == 500
    assert not begun.start.eager
    (eager,) = opened(**RAW, eager_eot_threshold="0.5")[1].inputs
    assert isinstance(eager, StartRequested)
    assert eager.start.eager
    assert read(dialect, type="ForceEndTurn") == [FlushRequested()]


@pytest.mark.parametrize(
    "options",
    [
        {"eot_threshold": "2"},
        {"eot_timeout_ms": "soon"},
        {"eot_timeout_ms": "5000.5"},
        {"encoding": "opus"},
        {"multichannel": "true", "channels": "2"},
        {"multichannel": "true", "encoding": ""},
    ],
)
def test_what_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UpgradeRefused) as refused:
        opened(**{**RAW, **options})
    assert refused.value.status == 400


def test_settings_change_within_a_stream() -> None:
    dialect, _ = opened(**RAW, eot_threshold="0.8")
    changed, asked = read(
        dialect, type="Configure", keyterms=["Oslo"], thresholds={"eot_timeout_ms": 1_000}
    )
    assert isinstance(changed, ReplyRequested)
    assert isinstance(asked, ConfigureRequested)
    assert written(dialect, Reply(changed.content)) == []
    assert asked.configure.vad is not None
    assert asked.configure.vad.min_silence_ms == 600
    done = Configured(
        time=0.0, model="tiny", interim_results=True, vad=STARTED.vad, keyterms=("Oslo",)
    )
    (answer,) = written(dialect, done)
    assert answer["thresholds"] == {"eot_threshold": 0.8, "eot_timeout_ms": 1_000}
    assert answer["keyterms"] == ["Oslo"]
    for fields, kind in (
        ({"thresholds": {"eot_threshold": 0.6}}, "ConfigureSuccess"),
        ({"thresholds": {"eot_threshold": 6}}, "ConfigureFailure"),
        ({"thresholds": {"eot_timeout_ms": 5_000.5}}, "ConfigureFailure"),
        ({"thresholds": []}, "ConfigureFailure"),
        ({"keyterms": [""]}, "ConfigureFailure"),
    ):
        (asked,) = read(dialect, type="Configure", **fields)
        assert isinstance(asked, ReplyRequested)
        (answer,) = written(dialect, Reply(asked.content))
        assert answer["type"] == kind


@pytest.mark.parametrize("options", [RAW, {}])
def test_an_eager_end_may_be_asked_for_later(options: dict[str, str]) -> None:
    """Once: there is nothing new to ask of the stream at another threshold."""
    dialect, _ = opened(**options)
    first, *asked = read(dialect, type="Configure", thresholds={"eager_eot_threshold": 0.4})
    assert isinstance(first, ReplyRequested)
    if options:
        assert asked == [ConfigureRequested(Configure(eager=True))]
        assert len(read(dialect, type="Configure", thresholds={"eager_eot_threshold": 0.5})) == 1
        return
    assert asked == []
    begun, *_ = dialect.read(wave_file(48_000, 1))
    assert isinstance(begun, StartRequested)
    assert begun.start.eager


def test_thresholds_change_behind_what_is_still_to_be_sent() -> None:
    dialect, _ = opened(**RAW, eager_eot_threshold="0.4")
    early = Interim(
        start_time=0.25, end_time=2.25, channel=0, output={"text": "Ever tried."}, eager=True
    )
    before = 0.4
    for after, more in ((0.8, {}), (0.6, {"eot_timeout_ms": 900})):
        changed = {"eager_eot_threshold": after, **more}
        asked = read(dialect, type="Configure", thresholds=changed)
        assert confidence(dialect, early) == before
        written(
            dialect, Reply(next(each.content for each in asked if isinstance(each, ReplyRequested)))
        )
        assert confidence(dialect, early) == after
        before = after


def confidence(dialect: FluxDialect, item: Outgoing) -> float:
    *_, eager = written(dialect, item)
    found: float = eager["end_of_turn_confidence"]
    return found


@pytest.mark.parametrize("fields", [{"keyterms": ["Oslo"]}, {"keyterms": 7}, {}])
def test_a_configure_before_the_format_is_known(fields: dict[str, Any]) -> None:
    dialect, _ = opened(keyterm="Bergen")
    thresholds = {"eot_timeout_ms": 500}
    (asked,) = read(dialect, type="Configure", thresholds=thresholds, **fields)
    assert isinstance(asked, ReplyRequested)
    connected, answer = written(dialect, Reply(asked.content))
    assert (connected["type"], connected["request_id"]) == ("Connected", request_id_of("f" * 16))
    assert (connected["sequence_id"], answer["sequence_id"]) == (0, 1)
    begun, *_ = dialect.read(wave_file(48_000, 1))
    assert isinstance(begun, StartRequested)
    assert written(dialect, STARTED) == []  # it is connected
    if fields == {"keyterms": 7}:
        assert answer["type"] == "ConfigureFailure"
        assert begun.start.keyterms == ("Bergen",)
        assert begun.start.vad.min_silence_ms is None
    else:
        assert answer["thresholds"] == thresholds
        assert answer["keyterms"] == [*begun.start.keyterms]
        assert answer["keyterms"] == fields.get("keyterms", ["Bergen"])
        assert begun.start.vad.min_silence_ms == 500


def test_the_end_of_a_turn_before_all_audio_decides_nothing() -> None:
    dialect, _ = opened()
    assert read(dialect, type="ForceEndTurn") == []
    begun, *_ = dialect.read(wave_file(48_000, 1))
    assert isinstance(begun, StartRequested)
    assert begun.start.format == AudioFormat(48_000)


@pytest.mark.parametrize("timeout_ms", [5_000, 5_000.0])
def test_a_whole_number_may_be_written_with_a_fraction(timeout_ms: float) -> None:
    """As JSON has it: some libraries write all numbers so."""
    dialect, _ = opened(**RAW)
    asked = read(dialect, type="Configure", thresholds={"eot_timeout_ms": timeout_ms})
    assert isinstance(asked[-1], ConfigureRequested)


def written(dialect: FluxDialect, item: Outgoing) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in dialect.write(item) if not isinstance(frame, Close)]

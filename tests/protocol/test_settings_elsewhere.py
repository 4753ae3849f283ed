"""Settings that are in the wrong place: of the server in a message, of a message in the query."""

import json
from typing import Any

import pytest

from streamer.config.limits import LimitsConfig
from streamer.dialects.native import NativeDialect
from streamer.pipeline.context import Segmentation
from streamer.protocol.events import Started, Stopped
from streamer.protocol.requests import BadRequest, decode_request
from streamer.session.dialect import UpgradeRequest

FORMAT = {"sample_rate": 16_000}
STARTED = Started(
    session_id="s",
    trace_id="t",
    model="m",
    sample_rate=16_000,
    interim_results=False,
    vad=None,
    max_message_bytes=1,
    protocol=1,
)


@pytest.mark.parametrize("request_type", ["start", "configure"])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"vad": {"suffix_padding_ms": 100}},
         "unknown field 'vad.suffix_padding_ms'; it is a setting of the whole server, and not of a "
         "stream"),
        ({"vad": {"engine": "webrtc"}}, "'vad.engine'; it is a setting of the whole server"),
        ({"vad": {"end_on_pause": False}}, "'vad.end_on_pause'; it is a setting of the whole serv"),
        ({"suffix_padding_ms": 1}, "'suffix_padding_ms'; 'vad.suffix_padding_ms' is a setting of "
         "the whole server, and not of a stream"),
        ({"chunk_seconds": 2}, "'simple.chunk_seconds' is a setting of the whole server"),
        ({"limits": {}}, "unknown field 'limits'; it is a setting of the whole server"),
        ({"min_silence_ms": 300}, "did you mean 'vad.min_silence_ms'?"),
        ({"vad": {"sufix_padding": 1}}, "did you mean 'prefix_padding_ms'?"),
        ({"nothing": 1}, "unknown field 'nothing'; allowed: "),
    ],
)  # fmt: skip
def test_a_setting_of_the_server_is_told(
    request_type: str, given: dict[str, Any], says: str
) -> None:
    format_given = {"format": FORMAT} if request_type == "start" else {}
    message = json.dumps({"request": request_type, **format_given, **given})
    with pytest.raises(BadRequest) as refused:
        decode_request(message, max_channels=8)
    assert says in str(refused.value)
    assert ("did you mean" in str(refused.value)) == ("did you mean" in says)


def opened(*query: tuple[str, str], segmentation: Segmentation = "speech") -> NativeDialect:
    dialect = NativeDialect(segmentation, LimitsConfig())
    opening = dialect.open(UpgradeRequest("/api/v1/segmented", query, {}, ()))
    assert not opening.inputs
    assert not opening.frames  # `started` stays the first message
    assert list(opening.ignored) == [name for name, _ in query if name != "token"][:5]
    return dialect


def warnings(dialect: NativeDialect) -> list[str]:
    """The messages of the warnings that follow `started`, and no other event."""
    other = Stopped(audio_seconds=0.0, segments=0, session_id="s", seconds=[])
    assert len(dialect.write(other)) == 1
    first, *more = map(json.loads, map(str, dialect.write(STARTED)))
    assert first["type"] == "started"
    assert len(dialect.write(STARTED)) == 1  # once a socket
    assert all((event["type"], event["code"]) == ("warning", "ignored_field") for event in more)
    return [event["message"] for event in more]


@pytest.mark.parametrize("segmentation", ["speech", "chunks"])
def test_a_parameter_of_the_address_is_named_with_its_place(segmentation: Segmentation) -> None:
    query = [("words", "true"), ("min_silence_ms", "1"), ("vad.threshold", "1"), ("rate", "s3cret")]
    (message,) = warnings(opened(*query, segmentation=segmentation))
    assert message == (
        "parameters of the address have no effect: 'words' (in the start message: 'words'), "
        "'min_silence_ms' (in the start message: 'vad.min_silence_ms'), "
        "'vad.threshold' (in the start message: 'vad.threshold'), 'rate'"
    )


@pytest.mark.parametrize("query", [[], [("token", "s3cret")], [("token", "")]])
def test_no_parameters_and_no_warning(query: list[tuple[str, str]]) -> None:
    assert warnings(opened(*query)) == []


def test_many_parameters_make_one_short_line() -> None:
    query = [(f"\x1b{n}" + "x" * 999, "1") for n in range(999)]
    (message,) = warnings(opened(*query))
    assert message.isprintable()
    assert message.endswith(", …")
    assert len(message) < 500

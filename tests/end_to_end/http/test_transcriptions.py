"""`/v1/audio/transcriptions`, `/v1/audio/translations` and `/v1/models`, with OpenAI's client."""

import functools
import io
import re
import warnings
from collections.abc import Generator
from typing import Any

import openai
import pytest
from openai import OpenAI

from streamer.weights.manifest import require
from tests.end_to_end.conftest import Launch
from tests.end_to_end.http.posting import KINDS, analyzed, encoded, post, temporary_files
from tools.harness.process import TIMEOUT_S, Server, wait_until
from tools.harness.sounds import BECKETT, recording, word_error_rate

FILE = require("moonshine-tiny-en") / "beckett.wav"


def client_of(server: Server, api_key: str = "none") -> OpenAI:
    return OpenAI(
        base_url=f"http://127.0.0.1:{server.port}/v1",
        api_key=api_key,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False, timeout=TIMEOUT_S),
    )


@pytest.fixture
def client(transcriber: Server) -> Generator[OpenAI]:
    with client_of(transcriber) as client:
        yield client
    wait_until(lambda: temporary_files(transcriber) == [], "no temporary file is left")


@pytest.fixture(scope="module")
def text(transcriber: Server) -> str:
    """What `/api/v1/analyze` makes of the file."""
    segments = analyzed(transcriber, FILE.read_bytes())["segments"]
    return " ".join(segment["text"] for segment in segments)


@pytest.mark.parametrize("model", ["whisper-1", "gpt-4o-transcribe", "moonshine-tiny-en"])
def test_a_file_becomes_text(client: OpenAI, text: str, model: str) -> None:
    answer = client.audio.transcriptions.create(model=model, file=FILE)
    assert answer.text == text
    assert answer.usage is not None
    assert answer.usage.type == "duration"
    assert answer.usage.seconds == pytest.approx(9.963, abs=0.001)


@pytest.mark.parametrize("kind", [KINDS[5], KINDS[8], KINDS[9], KINDS[10]], ids=str)
def test_kinds_of_file_are_told_by_their_content(client: OpenAI, kind: Any) -> None:
    body = io.BytesIO(encoded(*recording("beckett.wav"), kind))
    answer = client.audio.transcriptions.create(model="whisper-1", file=("speech.webm", body))
    assert word_error_rate(BECKETT, answer.text) < 0.4


def test_shapes_of_the_answer(client: OpenAI, transcriber: Server, text: str) -> None:
    segments = analyzed(transcriber, FILE.read_bytes())["segments"]
    create = client.audio.transcriptions.create
    verbose = create(
        model="whisper-1",
        file=FILE,
        response_format="verbose_json",
        timestamp_granularities=["segment"],
        language="en",
        prompt="Beckett",
        temperature=0.2,
    )
    assert verbose.text == text
    assert verbose.language == "english"
    assert verbose.model_dump()["task"] == "transcribe"
    assert "warnings" not in verbose.model_dump()
    assert verbose.duration == pytest.approx(9.963, abs=0.001)
    assert verbose.segments is not None
    assert [(s.start, s.end, s.text) for s in verbose.segments] == [
        (s["start_time"], s["end_time"], s["text"]) for s in segments
    ]
    assert [segment.id for segment in verbose.segments] == list(range(6))
    plain = create(model="whisper-1", file=FILE, response_format="text")
    assert " ".join(str(plain).split()) == text
    timed = create(
        model="whisper-1",
        file=FILE,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert timed.words
    begin_ms, end_ms = round(timed.words[0].start * 1000), round(segments[0]["end_time"] * 1000)
    begin, end = f"00:00:00,{begin_ms:03}", f"00:00:01,{end_ms - 1000:03}"
    srt = create(model="whisper-1", file=FILE, response_format="srt")
    assert str(srt).startswith(f"1\n{begin} --> {end}\nEver tried.\n\n2\n")
    begin, end = begin.replace(",", "."), end.replace(",", ".")
    vtt = create(model="whisper-1", file=FILE, response_format="vtt")
    assert str(vtt).startswith(f"WEBVTT\n\n{begin} --> {end}\nEver tried.\n\n")


def test_text_as_it_comes(client: OpenAI, text: str) -> None:
    stream = client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=FILE, stream=True
    )
    *deltas, done = list(stream)
    assert {event.type for event in deltas} == {"transcript.text.delta"}
    assert len(deltas) == 6
    assert done.type == "transcript.text.done"
    said = [event.delta for event in deltas if event.type == "transcript.text.delta"]
    assert "".join(said) == done.text == text


def test_the_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["moonshine-tiny-en"]
    retrieved = client.models.retrieve("moonshine-tiny-en")
    assert retrieved.owned_by == "streamer"
    dialects = retrieved.to_dict()["dialects"]
    assert isinstance(dialects, list)
    assert {"native", "deepgram", "realtime"} <= {*dialects}
    for alias in ("whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe-2025-12-15"):
        assert client.models.retrieve(alias).id == alias
    with pytest.raises(openai.NotFoundError, match="allowed: moonshine-tiny-en") as caught:
        client.models.retrieve("other")
    assert caught.value.param == "model"


def test_a_model_whose_name_has_a_slash(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "name": "acme/standin"}})
    with client_of(server) as client:
        assert [model.id for model in client.models.list()] == ["acme/standin"]
        assert client.models.retrieve("acme/standin").id == "acme/standin"
        with pytest.raises(openai.NotFoundError, match="allowed: acme/standin"):
            client.models.retrieve("acme/other")
        with pytest.raises(openai.NotFoundError, match="allowed: acme/standin"):
            client.models.retrieve("acme\n/standin\n")
    assert server.get("/v1/models/acme/standin").json()["id"] == "acme/standin"
    assert server.get("/v1/models/").json() == server.get("/v1/models").json()


@pytest.mark.parametrize(
    ("wanted", "status", "param", "says"),
    [
        ({"model": "other"}, 404, "model", "'model' is \"other\"; allowed: moonshine-tiny-en"),
        ({"language": "de"}, 400, "language", "'language' is \"de\"; allowed with this model: en"),
        ({"response_format": "diarized_json"}, 400, "response_format", "allowed: one of json,"),
        ({"temperature": 2}, 400, "temperature", "allowed: a number from 0 to 1"),
        ({"language": "de-DE"}, 400, "language", "'language' is \"de-DE\"; allowed with this mod"),
        ({"language": "klingon"}, 400, "language", "allowed with this model: en, auto"),
        ({"extra_body": {"languages": ["de", "fr"]}}, 400, "languages", "'languages' is \"de, fr"),
        ({"extra_body": {"to_language": "de"}}, 400, "to_language", "'to_language' is \"de\""),
        (
            {"timestamp_granularities": ["syllable"]},
            400,
            "timestamp_granularities[]",
            "'timestamp_granularities[0]' is \"syllable\"; allowed: one of segment, word",
        ),
        ({"extra_body": {"offset_t": "500"}}, 400, "offset_t", "allowed: nothing: the whole file"),
    ],
)
def test_what_cannot_be_asked_for(
    client: OpenAI, wanted: dict[str, Any], status: int, param: str | None, says: str
) -> None:
    asked = {"model": "whisper-1", "file": FILE, **wanted}
    with pytest.raises(openai.APIStatusError) as caught:
        client.audio.transcriptions.create(**asked)
    assert caught.value.status_code == status
    assert caught.value.type == "invalid_request_error"
    assert says in str(caught.value)
    if param is not None:
        assert caught.value.param == param


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the body is empty"),
        (b"no audio", "not an audio file"),
        (FILE.read_bytes()[:30], "not complete"),
    ],
)
def test_a_file_that_is_none(client: OpenAI, content: bytes, says: str, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError, match=says):
        client.audio.transcriptions.create(
            model="whisper-1", file=("a.wav", content), stream=stream
        )


def test_a_file_that_ends_early_gives_what_is_there(client: OpenAI, transcriber: Server) -> None:
    mp3 = encoded(*recording("two_cities.wav"), KINDS[10])
    file = ("a.mp3", mp3[: len(mp3) // 2])
    answer = client.audio.transcriptions.create(
        model="whisper-1", file=file, response_format="verbose_json"
    )
    assert 0.3 * 44.4 < answer.duration < 0.7 * 44.4
    (warning,) = answer.model_dump()["warnings"]
    assert warning["code"] == "damaged_audio"
    assert "the MP3 file ends early" in warning["message"]
    before = transcriber.log_bytes
    stream = client.audio.transcriptions.create(model="whisper-1", file=file, stream=True)
    *_, done = list(stream)
    assert done.type == "transcript.text.done"
    assert done.text == answer.text
    assert "the MP3 file ends early" in transcriber.log(before)


def form(
    server: Server, content: bytes, media_type: str = "multipart/form-data; boundary=x"
) -> tuple[int, str]:
    reply = post(server, "/v1/audio/transcriptions", content, media_type)
    return reply.status, reply.json()["error"]["message"]


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    more = f'; filename="{filename}"' if filename else ""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def test_forms_that_are_none(standin: Server) -> None:
    end, sound = b"--x--\r\n", FILE.read_bytes()
    assert form(standin, b"{}", "application/json") == (
        400,
        'Content-Type is "application/json"; allowed: multipart/form-data; '
        "with curl: -F file=@FILE",
    )
    assert form(standin, end, "multipart/form-data")[0] == 400
    assert form(standin, part("model", b"standin") + end) == (
        400,
        "the file is missing; it has to be 'file'; with curl: -F file=@FILE",
    )
    assert form(standin, part("sound", sound, "a.wav") + end) == (
        400,
        "the file is called \"sound\"; it has to be 'file'; with curl: -F file=@FILE",
    )
    assert "is not an audio file" in form(standin, part("file", b"text") + end)[1]
    assert "in the query" not in form(standin, part("file", b"text") + end)[1]
    twice = part("file", sound, "a.wav") * 2 + end
    assert form(standin, twice)[0] == 400
    model = part("model", b"standin") * 2 + part("file", sound, "a.wav") + end
    assert form(standin, model) == (400, "'model' is given more than once")
    assert form(standin, part("prompt", bytes(2 << 20)) + end)[0] == 400
    cut = (part("model", b"standin") + part("file", sound, "a.wav"))[:50_000]
    assert form(standin, cut)[0] == 400
    wait_until(lambda: temporary_files(standin) == [], "no temporary file is left")


def test_scores_are_shown_as_text(standin: Server) -> None:
    with client_of(standin) as client:
        answer = client.audio.transcriptions.create(model="standin", file=FILE)
    assert re.fullmatch(r"(count=\d+ ?){6}", answer.text)


def test_segments_that_fail_are_not_left_out(launch: Launch) -> None:
    server = launch({"model": {"type": "standin", "options": {"failure_rate": 1}}})
    with client_of(server) as client:
        create = client.audio.transcriptions.create
        with pytest.raises(openai.InternalServerError, match="told to fail") as caught:
            create(model="whisper-1", file=FILE)
        assert caught.value.type == "server_error"
        with pytest.raises(openai.APIError, match="told to fail"):
            list(create(model="whisper-1", file=FILE, stream=True))


def test_a_listener_that_goes_away_stops_the_work(launch: Launch) -> None:
    model = {"type": "standin", "options": {"delay": 1}}
    server = launch({"model": model, "inference": {"workers": 1}})
    with client_of(server) as client:
        stream = client.audio.transcriptions.create(model="whisper-1", file=FILE, stream=True)
        next(iter(stream))
        stream.close()
    wait_until(lambda: temporary_files(server) == [], "its file is gone")
    before = server.get("/api/v1/info").json()["inference"]["finals"]
    assert before < 4


NO_DIFFERENCE: list[dict[str, Any]] = [
    {"chunking_strategy": "auto", "prompt": "", "temperature": 0},
    {"language": "", "response_format": "", "extra_body": {"stream": "", "vad_filter": ""}},
    {"language": "en-US"},
    {"language": "en_GB"},
    {"language": "eng"},
    {"language": "English"},
    {"language": "auto"},
    {"extra_body": {"languages": ["de", "en"]}},
    {"include": ["logprobs"]},
    {"timestamp_granularities": ["segment"]},
    {"extra_body": {"timestamp_granularities": "segment"}},
    {"extra_body": {"vad_filter": True, "hotwords": "Beckett", "beam_size": 5, "best_of": 5}},
    {"extra_body": {"task": "transcribe", "word_timestamps": False, "no_speech_threshold": 0.6}},
    {"extra_body": {"task": "translate"}},
    {"extra_body": {"translate": "true", "to_language": "en"}},
    {"model": ""},
    {"model": "gpt-4o-transcribe-diarize"},
]


@pytest.mark.parametrize("asked", NO_DIFFERENCE, ids=str)
def test_fields_that_make_no_difference(client: OpenAI, text: str, asked: dict[str, Any]) -> None:
    answer = client.audio.transcriptions.create(**{"model": "whisper-1", "file": FILE, **asked})
    assert answer.text == text
    assert "warnings" not in answer.model_dump()


def test_what_the_answer_lacks_is_said_in_it(client: OpenAI, text: str) -> None:
    create: Any = client.audio.transcriptions.create
    misspelt = {"extra_body": {"langauge": "de"}}
    warning = {
        "type": "warning",
        "code": "ignored_field",
        "message": "unknown field 'langauge' was ignored; did you mean 'language'?",
    }
    plain = create(model="whisper-1", file=FILE, **misspelt)
    assert plain.text == text
    assert plain.model_dump()["warnings"] == [warning]
    *_, done = create(model="whisper-1", file=FILE, stream=True, **misspelt)
    assert done.model_dump()["warnings"] == [warning]


def test_words_have_times(client: OpenAI) -> None:
    answer = client.audio.transcriptions.create(
        model="whisper-1",
        file=FILE,
        response_format="verbose_json",
        timestamp_granularities=["word"],
    )
    assert answer.words
    assert answer.segments
    assert " ".join(word.word for word in answer.words) == answer.text
    times = [time for word in answer.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= answer.duration
    assert "warnings" not in answer.model_dump()
    segments = client.audio.transcriptions.create(
        model="whisper-1", file=FILE, response_format="verbose_json"
    )
    assert segments.words is None
    assert segments.segments
    assert all(-3 < segment.avg_logprob < 0 for segment in segments.segments)


def test_log_probabilities(client: OpenAI) -> None:
    create: Any = client.audio.transcriptions.create
    answer = create(model="gpt-4o-transcribe", file=FILE, include=["logprobs"])
    assert "".join(each.token for each in answer.logprobs) == answer.text
    assert b"".join(bytes(map(int, each.bytes)) for each in answer.logprobs).decode() == answer.text
    assert all(each.logprob <= 0 for each in answer.logprobs)
    *deltas, done = create(model="gpt-4o-transcribe", file=FILE, include=["logprobs"], stream=True)
    for delta in deltas:
        assert "".join(each.token for each in delta.logprobs) == delta.delta
    found = [(each.token, each.logprob) for each in done.logprobs]
    assert found == [(each.token, each.logprob) for delta in deltas for each in delta.logprobs]
    assert found == [(each.token, each.logprob) for each in answer.logprobs]
    assert create(model="gpt-4o-transcribe", file=FILE).logprobs is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (
            {"response_format": "verbose_json", "timestamp_granularities": ["word"]},
            "the model standin gives no times of words: the answer has those of segments",
        ),
        (
            {"include": ["logprobs"]},
            "the model standin gives no log probabilities: the answer has none",
        ),
    ],
    ids=["words", "logprobs"],
)
def test_a_model_without_words_says_what_the_answer_lacks(
    standin: Server, asked: dict[str, Any], says: str
) -> None:
    with client_of(standin) as client:
        create: Any = client.audio.transcriptions.create
        answer = create(model="whisper-1", file=FILE, **asked).model_dump()
    (warning,) = answer["warnings"]
    assert (warning["code"], warning["message"]) == ("no_words", says)
    assert answer.get("words") is None
    assert answer.get("logprobs") is None


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"timestamp_granularities": ["word"]}, "'timestamp_granularities[]=word' was ignored: "),
        (
            {"include": ["logprobs"], "response_format": "verbose_json"},
            "'include[]=logprobs' was ignored: only json and the events of a stream have a place",
        ),
    ],
    ids=["words", "logprobs"],
)
def test_what_the_answer_has_no_place_for_is_said(
    client: OpenAI, text: str, asked: dict[str, Any], says: str
) -> None:
    create: Any = client.audio.transcriptions.create
    answer = create(model="whisper-1", file=FILE, **asked)
    assert answer.text == text
    (warning,) = answer.model_dump()["warnings"]
    assert warning["code"] == "ignored_field"
    assert warning["message"].startswith(says)


def test_what_is_ignored_is_in_the_log(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}})
    with client_of(server) as client:
        client.audio.transcriptions.create(
            model="whisper-1", file=FILE, extra_body={"langauge": "de"}, response_format="srt"
        )
    assert "unknown field 'langauge' was ignored; did you mean 'language'?" in server.log()


def test_a_chunking_strategy_has_its_effect(client: OpenAI) -> None:
    def segments(**strategy: float) -> list[Any]:
        create: Any = client.audio.transcriptions.create
        answer = create(
            model="whisper-1",
            file=FILE,
            response_format="verbose_json",
            chunking_strategy={"type": "server_vad", **strategy},
        )
        return answer.segments or []

    as_configured, joined = segments(), segments(silence_duration_ms=3_000)
    assert (len(as_configured), len(joined)) == (6, 1)
    padded = segments(prefix_padding_ms=0)
    assert padded[2].start > as_configured[2].start
    with pytest.raises(openai.BadRequestError) as caught:
        segments(threshold=2)
    assert caught.value.param == "chunking_strategy[threshold]"


def test_without_a_filter_nothing_is_left_out(client: OpenAI, launch: Launch) -> None:
    def verbose(client: OpenAI) -> dict[str, Any]:
        answer = client.audio.transcriptions.create(
            model="whisper-1",
            file=FILE,
            response_format="verbose_json",
            extra_body={"vad_filter": False},
        )
        return answer.model_dump()

    whole = verbose(client)
    (segment,) = whole["segments"]
    assert (segment["start"], segment["end"]) == (0, pytest.approx(9.963, abs=0.001))
    assert word_error_rate(BECKETT, whole["text"]) < 0.2
    assert "warnings" not in whole
    server = launch({"model": {"type": "standin"}, "limits": {"max_audio_seconds": 5}})
    with client_of(server) as small:
        cut = verbose(small)
    assert len(cut["segments"]) == 6
    (warning,) = cut["warnings"]
    assert warning["message"] == (
        "'vad_filter' was ignored: the recording is too long to be processed as a whole"
    )


def translated(client: OpenAI, **asked: Any) -> Any:
    """What the endpoint answers; the package deprecates it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return client.audio.translations.create(**asked)


def test_a_translation_of_english_is_its_transcript(client: OpenAI, text: str) -> None:
    create = functools.partial(translated, client)
    assert create(model="whisper-1", file=FILE).text == text
    verbose = create(
        model="moonshine-tiny-en",
        file=FILE,
        response_format="verbose_json",
        prompt="Beckett",
        temperature=0.5,
        extra_body={"language": "en-GB", "task": "translate"},
    )
    assert (verbose.text, verbose.language) == (text, "english")
    assert verbose.model_dump()["task"] == "translate"
    assert verbose.segments is not None
    assert len(verbose.segments) == 6
    subtitles = create(model="whisper-1", file=FILE, response_format="srt")
    assert str(subtitles).startswith("1\n00:00:00,3")
    with pytest.raises(openai.BadRequestError, match=r"'language' is .*; allowed with this mod"):
        create(model="whisper-1", file=FILE, extra_body={"language": "de"})


def test_a_model_that_does_not_transcribe_english_does_not_translate(standin: Server) -> None:
    with client_of(standin) as client:
        create = functools.partial(translated, client)
        with pytest.raises(openai.BadRequestError, match="the model standin does not translate"):
            create(model="whisper-1", file=FILE)
        transcribe = client.audio.transcriptions.create
        with pytest.raises(openai.BadRequestError, match="the model standin does not translate"):
            transcribe(model="whisper-1", file=FILE, extra_body={"task": "translate"})
        german = transcribe(
            model="standin", file=FILE, language="de_AT", response_format="verbose_json"
        )
        assert german.language == "german"


def test_the_api_key_is_the_servers_token(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "access": {"tokens": ["a-token"]}})
    with client_of(server, "another") as client:
        with pytest.raises(openai.AuthenticationError, match="the token is not valid"):
            client.models.list()
        with pytest.raises(openai.AuthenticationError, match="the token is not valid"):
            client.audio.transcriptions.create(model="whisper-1", file=FILE)
    with client_of(server, "a-token") as client:
        assert [model.id for model in client.models.list()] == ["standin"]
        assert client.audio.transcriptions.create(model="whisper-1", file=FILE).text

"""Who may open `/v1/realtime`, and what is answered to those who may not, or send nonsense."""

import asyncio
import contextlib
import json
import random
from collections.abc import Generator

import pytest
from websockets.exceptions import InvalidStatus

from tests.end_to_end.conftest import Launch, _for_the_session
from tests.end_to_end.http.posting import post
from tests.end_to_end.realtime.realtime_socket import COMPLETED, named, realtime, texts
from tools.harness.json_socket import Event
from tools.harness.process import Server
from tools.harness.sounds import Audio, beckett, silence

TOKEN = "correct-horse"
SECRETS, BETA = "/v1/realtime/client_secrets", "/v1/realtime/transcription_sessions"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server with a token."""
    config = {"model": {"type": "standin"}, "access": {"tokens": [TOKEN]}}
    yield from _for_the_session(tmp_path_factory.mktemp("guarded"), config)


async def refusal(server: Server, *subprotocols: str, **headers: str) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refused:
        async with realtime(server, "", subprotocols, **headers):
            pass
    return refused.value


def error_of(refused: InvalidStatus) -> Event:
    error: Event = json.loads(refused.response.body or b"")["error"]
    return error


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
async def test_without_a_valid_token_nobody_is_let_in(
    guarded: Server, headers: dict[str, str]
) -> None:
    refused = await refusal(guarded, **headers)
    assert refused.response.status_code == 401
    assert error_of(refused)["type"] == "invalid_request_error"
    assert (await refusal(guarded, "realtime")).response.status_code == 401


async def test_a_token_in_a_header_or_beside_the_subprotocol(guarded: Server) -> None:
    async with realtime(guarded, Authorization=f"Bearer {TOKEN}") as socket:
        assert socket.created["type"] == "session.created"
        assert socket.connection.subprotocol is None
    shown = ("realtime", f"openai-insecure-api-key.{TOKEN}", "openai-beta.realtime-v1")
    async with realtime(guarded, subprotocols=shown) as socket:
        assert socket.created["type"] == "transcription_session.created"
        assert socket.connection.subprotocol == "realtime"


async def test_a_full_server_says_when_to_try_again(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "limits": {"max_sessions": 1}})
    async with realtime(server):
        refused = await refusal(server)
    assert refused.response.status_code == 503
    assert int(refused.response.headers["Retry-After"]) > 0
    assert error_of(refused)["code"] == "overloaded"


async def test_it_can_be_switched_off(launch: Launch) -> None:
    server = launch({"model": {"type": "standin"}, "server": {"dialects": []}})
    assert (await refusal(server)).response.status_code == 404
    reply = await asyncio.to_thread(post, server, SECRETS, b"{}", "application/json")
    assert reply.status == 404


def mint(server: Server, path: str, body: Event, token: str = TOKEN) -> Event:
    headers = {"Authorization": f"Bearer {token}"}
    reply = post(server, path, json.dumps(body).encode(), "application/json", headers)
    assert reply.status == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    minted: Event = reply.json()
    return minted


async def test_a_client_secret_opens_sessions_with_its_settings(guarded: Server) -> None:
    detection = {"type": "server_vad", "silence_duration_ms": 700}
    wanted = {"type": "transcription", "audio": {"input": {"turn_detection": detection}}}
    minted = await asyncio.to_thread(mint, guarded, SECRETS, {"session": wanted})
    assert minted["value"].startswith("ek_")
    assert minted["session"]["object"] == "realtime.transcription_session"
    shown = ("realtime", f"openai-insecure-api-key.{minted['value']}")
    async with realtime(guarded, "", subprotocols=shown) as socket:
        assert socket.created["session"]["audio"] == minted["session"]["audio"]
    given = socket.created["session"]["audio"]["input"]["turn_detection"]
    assert given["silence_duration_ms"] == 700


async def test_the_beta_has_another_address_for_it(guarded: Server) -> None:
    wanted = {"input_audio_format": "g711_ulaw", "turn_detection": None}
    minted = await asyncio.to_thread(mint, guarded, BETA, wanted)
    assert minted["input_audio_format"] == "g711_ulaw"
    key = {"Authorization": f"Bearer {minted['client_secret']['value']}"}
    async with realtime(guarded, **key, **{"OpenAI-Beta": "realtime=v1"}) as socket:
        assert socket.created["type"] == "transcription_session.created"
        assert socket.created["session"]["turn_detection"] is None


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"nonsense", 400, None),
        (b"", 400, None),
        (b"[]", 400, None),
        (b'{"session": {"type": "realtime"}}', 400, "session.type"),
        (b'{"session": {"audio": {"input": {"format": {"type": "x"}}}}}', 400, None),
        (b'{"expires_after": {"seconds": 1}}', 400, "expires_after.seconds"),
        (b" " * 20_000, 413, None),
    ],
)
async def test_what_is_wrong_with_a_request_for_a_secret(
    guarded: Server, body: bytes, status: int, param: str | None
) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    reply = await asyncio.to_thread(post, guarded, SECRETS, body, "application/json", headers)
    assert reply.status == status
    error = reply.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert param in (None, error["param"])


async def test_a_secret_buys_no_secret(guarded: Server) -> None:
    minted = await asyncio.to_thread(mint, guarded, SECRETS, {})
    headers = {"Authorization": f"Bearer {minted['value'].partition('.')[0]}"}
    reply = await asyncio.to_thread(post, guarded, SECRETS, b"{}", "application/json", headers)
    assert reply.status == 401


GARBAGE: list[str | bytes] = [
    "",
    "nonsense",
    "[]",
    "{}",
    '{"type": "response.create"}',
    '{"type": "input_audio_buffer.append"}',
    '{"type": "input_audio_buffer.append", "audio": "*"}',
    '{"type": "input_audio_buffer.append", "audio": null}',
    '{"type": "input_audio_buffer.commit"}',
    '{"type": "session.update"}',
    '{"type": "session.update", "session": {"type": "realtime"}}',
    '{"type": "session.update", "session": {"audio": {"input": {"format": {"type": "x"}}}}}',
    '{"type": "session.update", "session": {"audio": {"input": {"transcription": '
    '{"language": "de"}}}}}',
    '{"a":' * 5_000,
    "\0",
    b"",
    b"\x00\x01",
]


async def test_nonsense_is_answered_and_closes_nothing(transcriber: Server) -> None:
    audio = Audio(beckett().part(0, 2.5))
    chance = random.Random(7)
    frames = [chance.choice(GARBAGE) for _ in range(100)] + GARBAGE
    async with realtime(transcriber) as neighbour, realtime(transcriber) as socket:
        await neighbour.use(audio)
        for frame in frames:
            await socket.connection.send(frame)
        errors = await socket.events_until("error", len(frames))
        assert {event["type"] for event in errors} == {"error"}
        for event in errors:
            assert event["error"]["type"] == "invalid_request_error"
            assert event["error"]["code"]
            assert event["error"]["message"]
        for each in (socket, neighbour):
            await each.use(audio)
            await each.append(audio.data)
            events = await each.events_until(COMPLETED)
            assert texts(events) == ["Ever tried."]


async def test_an_error_names_the_message_that_it_is_about(standin: Server) -> None:
    async with realtime(standin) as socket:
        await socket.append(silence(0.05, 24_000).data)
        await socket.request("input_audio_buffer.commit", event_id="mine")
        (event,) = await socket.events_until("error")
        assert event["error"]["event_id"] == "mine"
        assert event["error"]["code"] == "input_audio_buffer_commit_empty"
        await socket.request("session.update", event_id="next", session={"type": "realtime"})
        (event,) = await socket.events_until("error")
        assert (event["error"]["event_id"], event["error"]["param"]) == ("next", "session.type")


async def test_a_message_may_have_a_megabyte(standin: Server) -> None:
    async with realtime(standin) as socket:
        await socket.append(bytes(780_000), [780_000])
        await socket.request("input_audio_buffer.commit")
        (completed,) = named(await socket.events_until(COMPLETED), COMPLETED)
        assert completed["usage"]["seconds"] == 16.25
        with contextlib.suppress(ConnectionError):
            await socket.append(bytes(790_000), [790_000])
        events = await socket.events_until_close()
    (error,) = named(events, "error")
    assert error["error"]["code"] == "string_above_max_length"
    assert "1048576" in error["error"]["message"]
    assert socket.connection.close_code == 1009

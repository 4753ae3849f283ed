"""Several models in one server, each with workers of its own."""

import asyncio

import pytest

from tests.end_to_end.conftest import Launch
from tools.harness.process import wait_until
from tools.harness.sounds import beckett, silence
from tools.harness.streams import client, events_of, stream_audio

TWO = {
    "models": [
        {"type": "standin", "name": "wide", "workers": 1},
        {"type": "standin", "name": "narrow", "workers": 1, "options": {"sample_rate": 8_000}},
    ]
}


async def test_start_chooses_one_and_the_first_is_the_default(launch: Launch) -> None:
    server = launch(TWO)
    info = server.get("/api/v1/info").json()
    assert (info["model"], info["sample_rate"]) == ("wide", 16_000)
    assert [(m["name"], m["sample_rate"]) for m in info["models"]] == [
        ("wide", 16_000),
        ("narrow", 8_000),
    ]
    for chosen, name, rate in (
        (None, "wide", 16_000),
        ("wide", "wide", 16_000),
        ("narrow", "narrow", 8_000),
    ):
        started, *events = await stream_audio(server, silence(1), "simple", model=chosen)
        assert (started["model"], started["sample_rate"]) == (name, rate)
        assert [event["count"] for event in events_of(events, "segment")] == [rate]
    spoken = [await stream_audio(server, beckett(), model=name) for name in ("wide", "narrow")]
    counts = [[event["count"] for event in events_of(events, "segment")] for events in spoken]
    assert counts[0] == [pytest.approx(2 * count, abs=2) for count in counts[1]]


async def test_one_socket_can_change_the_model_and_an_unknown_one_is_refused(
    launch: Launch,
) -> None:
    server = launch(TWO)
    async with client(server, "simple") as socket:
        await socket.start(model="narrow")
        await socket.send(silence(1).data)
        await socket.start(model="other")
        await socket.start(model="wide")
        await socket.send(silence(1).data)
        await socket.send_request("stop", disconnect=True)
        events = await socket.events_until_close()
    assert [event["count"] for event in events_of(events, "segment")] == [8_000, 16_000]
    (error,) = events_of(events, "error")
    assert error["code"] == "bad_message"
    assert error["message"] == "'model' is \"other\"; allowed: wide, narrow"


async def test_a_model_without_a_worker_holds_up_no_other(launch: Launch) -> None:
    server = launch(
        {
            "models": [
                {"type": "standin", "name": "fast"},
                {"type": "standin", "name": "slow", "options": {"delay": 600}},
                {"type": "standin", "name": "fatal", "options": {"crash_rate": 1}},
            ],
            "inference": {"timeout_seconds": 900},
        }
    )
    async with client(server, "simple") as stuck, client(server, "simple") as dying:
        for socket, model in ((stuck, "slow"), (dying, "fatal")):
            await socket.start(model=model)
            await socket.send(silence(1).data)
        for _ in range(2):
            events = await stream_audio(server, silence(3), "simple", model="fast")
            assert [event["count"] for event in events_of(events, "segment")] == [16_000] * 3
        (*_, failure) = await dying.events_until("error")
        assert failure["code"] == "worker_lost"

    models = server.get("/api/v1/info").json()["models"]
    died = {model["name"]: model["inference"]["workers_replaced"]["died"] for model in models}
    assert died == {"fast": 0, "slow": 0, "fatal": 2}
    await asyncio.to_thread(
        wait_until, lambda: server.get("/ready").status == 200, "the worker is replaced"
    )


def test_ready_once_all_are(launch: Launch) -> None:
    slow = {"type": "standin", "name": "slow", "options": {"warmup_penalty": 2}}
    server = launch({"models": [{"type": "standin"}, slow]}, ready=False)
    reasons = set()

    def ready() -> bool:
        reply = server.get("/ready")
        reasons.add(reply.json().get("reason"))
        return reply.status == 200

    wait_until(ready, "both are ready")
    assert "loading: slow" in reasons
    assert len(server.workers()) == server.get("/ready").json()["workers"]
    server.wait_ready()
    assert "Ready: standin, slow in" in server.log()


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ([], "'models' is []; allowed: a list of at least 1"),
        ([{"type": "standin"}] * 2, "'models[1].name' is \"standin\", the name of another model"),
        (
            [{"type": "standin"}, {"type": "other"}],
            "'models[1].type' is \"other\"; allowed: one of",
        ),
        ([{"type": "standin"}, {"type": 3}], "'models[1].type' is 3; allowed: text"),
        (
            [{"kind": "x"}],
            "unknown field 'models[0].kind'; allowed: interim_model, keyterms, name, options, "
            "path, remote, type",
        ),
    ],
)
def test_a_list_of_models_that_cannot_be(launch: Launch, models: object, says: str) -> None:
    server = launch({"models": models}, ready=False)
    assert server.process.wait(60) == 2
    assert says in server.log()

"""What a bridge asks of a cluster, and in which words."""

from streamer.config.remote import RemoteConfig
from streamer.models.registry import ModelSpec
from streamer.remote.crews import crew_plan
from streamer.remote.placement import actor_options, in_words, reserved
from streamer.remote.plan import RemotePlan, for_other_machines, shared_name
from streamer.remote.versions import Versions, difference, of_cluster

SPEC = ModelSpec(
    "moonshine",
    "english",
    "/opt/streamer/models/moonshine-base-en",
    {"threads": 2},
    ("/etc/streamer",),
    "/opt/streamer/models/moonshine-tiny-en/",
    ("Oslo",),
)


def remote(**settings: object) -> RemoteConfig:
    return RemoteConfig(address="ray-head:6379", **settings)  # type: ignore[arg-type]


def test_no_path_of_this_machine_leaves_it() -> None:
    sent = for_other_machines(SPEC)
    assert sent == ModelSpec(
        "moonshine",
        "english",
        "moonshine-base-en",
        {"threads": 2},
        (),
        "moonshine-tiny-en",
        ("Oslo",),
    )


def test_a_worker_of_one_server_ends_with_it_and_reserves_what_is_configured() -> None:
    settings = remote(num_cpus=0.5, num_gpus=1, resources={"fast": 2})
    options = actor_options(RemotePlan(settings, 0, 30.0), SPEC)
    assert (options["num_cpus"], options["num_gpus"], options["resources"]) == (0.5, 1, {"fast": 2})
    assert (options["max_restarts"], options["max_task_retries"]) == (0, 0)
    assert "lifetime" not in options
    assert "name" not in options
    assert in_words(reserved(settings)) == "0.5 CPU, 1 GPU, 2 fast"


def test_a_shared_worker_has_the_same_name_for_all_servers_with_the_same_settings() -> None:
    def name(number: int = 0, spec: ModelSpec = SPEC, **settings: object) -> str:
        return shared_name(RemotePlan(remote(shared=True, **settings), number, 30.0), spec)

    elsewhere = ModelSpec(
        "moonshine",
        "english",
        "/srv/moonshine-base-en",
        {"threads": 2},
        ("/home",),
        "/srv/moonshine-tiny-en",
        ("Oslo",),
    )
    assert name() == name(spec=elsewhere) == name(workers=7, connect_seconds=9)
    others = [name(1), name(num_gpus=1), name(resources={"fast": 1})]
    others += [name(spec=ModelSpec("moonshine", "english", "/a/other", {"threads": 2}))]
    assert len({name(), *others}) == 5
    options = actor_options(RemotePlan(remote(shared=True), 0, 30.0), SPEC)
    assert options["lifetime"] == "detached"
    assert options["get_if_exists"] is True


def test_those_that_stand_in_use_the_cores_that_the_others_do_not() -> None:
    def spare(local: int, cores: int, **settings: object) -> int:
        plan = crew_plan(remote(workers=8, **settings), local=local, cores=cores, timeout_s=30)
        return plan.spare

    assert spare(1, 4) == 3
    assert spare(4, 4) == 0
    assert spare(8, 4) == 0
    assert spare(0, 4) == 4
    assert spare(0, 64) == 8
    assert spare(0, 64, fallback="none") == 0


def test_versions_that_differ_are_one_line() -> None:
    here = Versions("0.1.0", "2.60.0", "3.11.7")
    assert difference(here, here, "on node n") is None
    assert difference(here, Versions("", "2.60.0", "3.11.7"), "in the cluster") is None
    assert difference(here, Versions("0.2.0", "2.60.0", "3.11.7"), "on node n") == (
        "the versions differ: here Streamer 0.1.0, Ray 2.60.0, Python 3.11.7; on node n "
        "Streamer 0.2.0, Ray 2.60.0, Python 3.11.7. All machines need the same: give them the "
        "same image"
    )


def test_rays_own_words_about_versions_are_read() -> None:
    message = (
        "Version mismatch: The cluster was started with:\n    Ray: 2.9.3\n    Python: 3.10.1\n"
        "This process on node 10.0.0.1 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )
    assert of_cluster(message) == Versions("", "2.9.3", "3.10.1")
    assert of_cluster("no such thing") is None

"""The simulation: right where a formula knows the answer, and where nothing may be lost."""

import json
import random
from math import factorial
from pathlib import Path
from statistics import fmean

import pytest
import simpy

pytest.importorskip("matplotlib")

from streamer.config.segmentation import VadConfig
from tools.bench import publish
from tools.bench.live import RATE, joined, recordings
from tools.simulate.costs import Costs, published
from tools.simulate.scenarios import BACK_S, FAILURE_S, failures, pool_sizes
from tools.simulate.simulation import Case, one_machine, run
from tools.simulate.sizing import needed, streams_a_server
from tools.simulate.speech import WINDOW_S, Pause, SpeechLoop, Utterance, found_in, loop_of
from tools.simulate.workers import Process, Workers

PUBLISHED = publish.DOCS / "performance"
COSTS = Costs(
    cores=2,
    inference=0.02,
    crowded=1.0,
    server=((1, 0.01), (100, 0.001)),
    generator=0.0,
    overhead_s=0.01,
    active_session_bytes=400_000,
    worker_bytes=200_000_000,
)
LOOP = SpeechLoop(
    seconds=20.0,
    utterances=(Utterance(1.0, 5.0, (Pause(3.0, 3.4),)), Utterance(8.0, 11.0)),
    min_silence_s=0.576,
    suffix_s=0.25,
    min_speech_s=0.2,
)


def waits_s(workers: int, load: float, *, constant: bool, jobs: int = 30_000) -> list[float]:
    """Of jobs that come by chance and take a second, or by chance a second on average."""
    environment = simpy.Environment()
    pool = Workers(environment, workers)
    chance = random.Random(1)
    waited: list[float] = []

    def arrive() -> Process:
        for number in range(jobs):
            yield environment.timeout(chance.expovariate(load * workers))
            work_s = 1.0 if constant else chance.expovariate(1.0)
            environment.process(watch(number, work_s))

    def watch(number: int, work_s: float) -> Process:
        begun_s = environment.now
        job = pool.submit(number, 1.0, work_s)
        yield job.settled
        waited.append(environment.now - begun_s - work_s)

    environment.process(arrive())
    environment.run()
    assert len(waited) == jobs
    return waited


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_one_worker_with_equal_jobs_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    """M/D/1: https://en.wikipedia.org/wiki/M/D/1_queue."""
    mean_s = fmean(waits_s(1, load, constant=True))
    assert mean_s == pytest.approx(load / (2 * (1 - load)), rel=0.08)


@pytest.mark.parametrize(("workers", "load"), [(3, 0.6), (8, 0.7)])
def test_several_workers_wait_as_erlang_says(workers: int, load: float) -> None:
    """M/M/c: https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_C_formula."""
    offered = workers * load
    waiting = offered**workers / factorial(workers) / (1 - load)
    all_busy = waiting / (sum(offered**k / factorial(k) for k in range(workers)) + waiting)
    found_s = waits_s(workers, load, constant=False)
    assert fmean(each > 1e-9 for each in found_s) == pytest.approx(all_busy, rel=0.1)


def test_equal_jobs_wait_about_half_as_long() -> None:
    """M/D/c: at least a half of M/M/c (Cosmetatos, 1975)."""
    equal, by_chance = (fmean(waits_s(4, 0.8, constant=each)) for each in (True, False))
    assert 0.48 < equal / by_chance < 0.75


def test_the_same_seed_gives_the_same_and_another_one_does_not() -> None:
    case = Case(100, workers=2)
    first, same, other = (run(case, LOOP, COSTS, seed) for seed in (3, 3, 4))
    assert first == same
    assert first != other


def test_a_worker_with_time_to_spare_has_the_result_when_the_silence_is_over() -> None:
    outcome = run(Case(1, workers=1), LOOP, COSTS, 0)
    assert outcome.finals
    expected_ms = 1_000 * (LOOP.min_silence_s + COSTS.overhead_s)
    assert outcome.latencies_ms() == pytest.approx([expected_ms] * len(outcome.finals))


def test_too_much_work_makes_results_late_and_costs_more_than_nothing_in_vain() -> None:
    calm, full = (run(Case(streams, workers=1), LOOP, COSTS, 0) for streams in (10, 200))
    assert max(calm.latencies_ms()) < 700 < max(full.latencies_ms())
    assert calm.utilisation < 0.2 < 0.9 < full.utilisation
    assert calm.in_vain > 0


def test_shared_cores_are_slower() -> None:
    dear = Costs(**{**vars(COSTS), "server": ((1, 0.02), (50, 0.02)), "crowded": 0.8})
    case = {shared: Case(45, workers=2, shared=shared) for shared in (False, True)}
    alone, shared = (run(case[each], LOOP, dear, 0) for each in (False, True))
    assert shared.utilisation > 1.4 * alone.utilisation


def test_a_hop_keeps_a_worker_and_begins_early_finals_earlier() -> None:
    near, far = (run(Case(20, workers=2, hop_s=hop_s), LOOP, COSTS, 0) for hop_s in (0.0, 0.2))
    assert far.utilisation > 2 * near.utilisation
    assert sorted(far.latencies_ms())[len(far.finals) // 2] < 1_000 * (LOOP.min_silence_s + 0.05)


@pytest.mark.parametrize(
    ("servers", "trouble"),
    [(4, {"server_ends_s": FAILURE_S}), (1, {"workers_lost_s": (FAILURE_S, BACK_S)})],
)
def test_nothing_is_lost_when_a_part_fails(servers: int, trouble: dict[str, float]) -> None:
    case = Case(200, servers, 4, seconds=90.0)
    failing = Case(200, servers, 4, seconds=90.0, **trouble)  # type: ignore[arg-type]
    calm, troubled = (run(each, LOOP, COSTS, 0) for each in (case, failing))
    spoken = [
        sorted(round(final.spoken_s, 6) for final in each.finals) for each in (calm, troubled)
    ]
    assert spoken[0] == spoken[1]
    assert max(troubled.latencies_ms()) > max(calm.latencies_ms())
    assert max(troubled.latencies_ms(until_s=FAILURE_S - 1)) == max(
        calm.latencies_ms(until_s=FAILURE_S - 1)
    )


def test_more_workers_serve_more_streams_each() -> None:
    one, four = pool_sizes(LOOP, COSTS, (1, 4), rounds=1)
    assert float(str(four["of them a worker"])) > float(str(one["of them a worker"]))


def test_failures_are_worse_for_those_that_were_full() -> None:
    rows = failures(LOOP, COSTS, workers=2, rounds=1)
    for few, many in ((rows[0], rows[3]), (rows[4], rows[7])):
        assert few["gone"] == many["gone"]
        assert int(str(few["10 to 30 s later"])) < int(str(many["10 to 30 s later"]))


def test_speech_is_cut_as_by_the_server() -> None:
    quiet, loud = [0.0] * 40, [0.9] * 20
    classified = [*quiet, *loud, *([0.0] * 10), *loud, *quiet, *quiet]
    loop = loop_of(classified, VadConfig())
    (utterance,) = loop.utterances
    assert loop.seconds == pytest.approx(len(classified) * WINDOW_S)
    assert utterance.end_s == pytest.approx(90 * WINDOW_S)
    (pause,) = utterance.pauses
    # Until the window is classified in which speech goes on.
    assert (pause.start_s, pause.end_s) == pytest.approx((60 * WINDOW_S, 71 * WINDOW_S))
    later = next(loop.from_(1.0))
    assert later.end_s == pytest.approx(utterance.end_s - 1.0)


def test_a_stream_may_begin_within_an_utterance() -> None:
    first = next(LOOP.from_(4.0))
    assert (first.start_s, first.end_s, first.pauses) == (0.0, 1.0, ())
    found = LOOP.from_(4.9)
    assert [next(found).start_s, next(found).start_s] == pytest.approx([3.1, 16.1])


def test_silence_is_added_between_utterances() -> None:
    thinned = LOOP.thinned(0.2)
    assert thinned.speech_share == pytest.approx(0.2)
    lengths = [each.end_s - each.start_s for each in thinned.utterances]
    assert lengths == pytest.approx([4.0, 3.0])
    with pytest.raises(ValueError, match=r"below 0\.9"):
        LOOP.thinned(0.9)


def test_costs_lie_between_those_that_were_measured() -> None:
    assert COSTS.server_of(1) == pytest.approx(0.01)
    assert COSTS.server_of(10) == pytest.approx(0.01**0.5 * 0.001**0.5)
    assert COSTS.server_of(100) == COSTS.server_of(5_000) == 0.001


def test_sizes_grow_with_the_streams() -> None:
    assert streams_a_server(COSTS) == 600
    few, many = (needed(streams, LOOP, COSTS, 0.001) for streams in (10, 10_000))
    # 16 kHz of 16 bits, and 50 headers of 68 bytes a second.
    assert few["audio in, Mbit/s"] == pytest.approx(10 * 8 * (32_000 + 50 * 68) / 1e6, abs=0.05)
    assert (few["servers, one core each"], many["servers, one core each"]) == (1, 17)
    inference = 10_000 * LOOP.speech_share * COSTS.inference / 0.6
    assert many["cores for inference"] == pytest.approx(inference, abs=1)


def test_the_published_figures_are_those_of_the_published_costs() -> None:
    """Without the rounds with other places, which take longer."""
    loop = found_in(joined(recordings(None), RATE), VadConfig())
    rows = one_machine(PUBLISHED / "bench.json", loop, published(PUBLISHED, loop), rounds=1)
    shown = json.loads(Path(PUBLISHED / "simulation.json").read_text())["one_machine"]
    for name in ("streams", "measured p50 ms", "measured p95 ms"):
        assert [row[name] for row in rows] == [row[name] for row in shown]
    for name in ("simulated p50 ms", "simulated p95 ms"):
        assert [row[name] for row in rows] == pytest.approx([r[name] for r in shown], rel=0.02)

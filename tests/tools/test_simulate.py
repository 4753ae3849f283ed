"""The simulation: right where a formula knows the answer, and where nothing may be lost."""

import json
import os
import random
import re
import shlex
import subprocess
import sys
from math import ceil, factorial
from pathlib import Path
from statistics import fmean

import pytest
import simpy

pytest.importorskip("matplotlib")

from streamer.config.segmentation import VadConfig
from tools.bench import publish
from tools.bench.live import RATE, joined, recordings
from tools.simulate.__main__ import main
from tools.simulate.costs import Costs, published
from tools.simulate.scenarios import BACK_S, FAILURE_S, failures, pool_sizes
from tools.simulate.simulation import Case, one_machine, run
from tools.simulate.sizing import CONVERSATION, constants, formula, needed, sizes
from tools.simulate.speech import WINDOW_S, Pause, SpeechLoop, Utterance, found_in, loop_of
from tools.simulate.stream_costs import DEFAULT, MODELS, TINY, published_costs
from tools.simulate.workers import Process, Workers

LOCKS = ("image", "development", "simulation")
PUBLISHED = publish.DOCS / "performance"
COSTS = Costs(
    cores=2,
    inference=0.02,
    alone=0.02,
    live_ratio=1.0,
    balancer=0.001,
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
    assert COSTS.streams_a_server == 600
    few, many = (needed(streams, 0.5, COSTS) for streams in (10, 10_000))
    # 16 kHz of 16 bits, and 50 headers of 68 bytes a second.
    assert few["audio in, Mbit/s"] == pytest.approx(10 * 8 * (32_000 + 50 * 68) / 1e6, abs=0.05)
    assert (few["servers, one core each"], many["servers, one core each"]) == (1, 17)
    assert many["of them for inference"] == ceil(10_000 * 0.5 * COSTS.live / 0.6)
    assert many["cores in all"] == ceil(10_000 * (0.5 * 0.02 + 0.001 + 0.001) / 0.6)


def test_a_page_and_the_command_give_the_same_cores() -> None:
    """`docs/performance.md` has conversations a core, `docs/scaling.md` cores for conversations."""
    published_by_model = [(model, published_costs(PUBLISHED, model)) for model in (DEFAULT, TINY)]
    shown = json.loads((PUBLISHED / "simulation.json").read_text())
    assert shown["constants"] == constants(published_by_model)
    (default, tiny) = (costs for _, costs in published_by_model)
    assert shown["sizes"] == sizes(default, tiny)
    for (_, costs), row in zip(published_by_model, shown["constants"], strict=True):
        cores = 3_000 / row["conversations a core"]
        assert needed(3_000, CONVERSATION, costs)["cores in all"] == pytest.approx(cores, rel=0.02)


def test_the_formula_is_shown_with_its_numbers() -> None:
    text = formula(3_000, 0.4, COSTS)
    assert text == "3000 × (0.4 × 0.0200 × 1.00 + 0.0010 + 0.0010) ÷ 0.6 = 50.0 cores"
    page = (publish.DOCS / "scaling.md").read_text()
    assert "cores = streams × (speech × model × live + server + balancer) ÷ 0.6" in page
    assert "0.6 ÷" not in (publish.DOCS / "performance.md").read_text()


@pytest.mark.parametrize("model", MODELS)
def test_a_row_for_a_number_of_ones_own(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = needed(3_000, 0.5, published_costs(PUBLISHED, model))
    out = printed(capsys, "--streams", "3000", "--model", model, "--speech", "0.5")
    assert str(row["cores in all"]) in out
    assert formula(3_000, 0.5, published_costs(PUBLISHED, model)) in out


def test_a_row_for_another_model_and_for_other_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("bench", "balancer"):
        (tmp_path / f"{name}.json").write_text((PUBLISHED / f"{name}.json").read_text())
    out = printed(capsys, "--streams", "100", "--factor", "0.03", "--results", str(tmp_path))
    assert "100 × (0.4 × 0.0300 × " in out
    assert "another model" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--streams x", "'x' is not a number of live streams: a whole number from 1 to 10000000"),
        ("--streams 0", "'0' is not a number of live streams"),
        ("--streams 9 --model whisper", "is not a model with published results: default, moon"),
        ("--streams 9 --speech 2", "'2' is not the part of the audio that is speech: a number"),
        ("--streams 9 --factor x", "'x' is not a real-time factor: a number above 0, at most 10"),
        ("--model moonshine-tiny-en", "are for a number of streams: give --streams"),
        ("--streams 9 --results /nowhere", "no /nowhere/bench.json: run `make bench`"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(
    arguments: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        printed(capsys, *arguments.split())
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_the_commands_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the Makefile passes their arguments on, and without a package more than running needs."""
    page = (publish.DOCS / "scaling.md").read_text()
    commands = re.findall(r"^\$ (make simulate .*)$", page, re.MULTILINE)
    assert commands
    for command in commands:
        program, _, arguments = planned(command, tmp_path)[0].partition(" -m tools.simulate ")
        assert program == ".venv/bin/python"
        assert " cores" in printed(capsys, *shlex.split(arguments))


def test_the_simulation_installs_what_it_needs_and_no_more(tmp_path: Path) -> None:
    lines = planned("make simulate", tmp_path)
    installed = [line for line in lines if " install " in line]
    assert len(installed) == 1
    assert "requirements/simulation.lock" in installed[0]
    (tmp_path / ".venv/.installed").touch()
    assert planned("make simulate", tmp_path) == [".venv/bin/python -m tools.simulate"]


def planned(command: str, folder: Path) -> list[str]:
    """What `make` would run where the packages for running are installed."""
    root = publish.DOCS.parent
    (folder / ".venv").mkdir(exist_ok=True)
    (folder / "requirements").mkdir(exist_ok=True)
    for name in ("Makefile", "pyproject.toml", *(f"requirements/{each}.lock" for each in LOCKS)):
        (folder / name).write_text((root / name).read_text())
    for marker in (".runnable", ".models-fetched"):
        (folder / ".venv" / marker).touch()
    named = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    outermost = {name: value for name, value in os.environ.items() if name not in named}
    words = [command.split()[0], "-n", *command.split()[1:]]
    run = subprocess.run(
        words, cwd=folder, env=outermost, check=True, capture_output=True, text=True, timeout=60
    )
    return [" ".join(line.split()) for line in run.stdout.splitlines()]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["tools.simulate", *arguments])
        main()
    return capsys.readouterr().out


def test_the_published_figures_are_those_of_the_published_costs() -> None:
    """Without the rounds with other places, which take longer."""
    loop = found_in(joined(recordings(None), RATE), VadConfig())
    rows = one_machine(PUBLISHED / "bench.json", loop, published(PUBLISHED, loop), rounds=1)
    shown = json.loads(Path(PUBLISHED / "simulation.json").read_text())["one_machine"]
    for name in ("streams", "measured p50 ms", "measured p95 ms"):
        assert [row[name] for row in rows] == [row[name] for row in shown]
    for name in ("simulated p50 ms", "simulated p95 ms"):
        assert [row[name] for row in rows] == pytest.approx([r[name] for r in shown], rel=0.02)

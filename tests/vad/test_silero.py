"""Silero VAD with its real weights: batching changes nothing, state is carried, speech is found."""

import asyncio
import math
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile
from numpy.typing import NDArray

from streamer.audio.pcm import MAX_MAGNITUDE
from streamer.audio.resample import Resampler
from streamer.observe.monitor import Meter, Monitor, Stage
from streamer.onnx.weights import read_weights
from streamer.pipeline.speech_channel import MAX_DETECTION_DELAY_S
from streamer.vad.engine import DetectionFailed
from streamer.vad.gain import InputGain
from streamer.vad.silero import MAX_BATCH, MIN_INVITING, SileroDetector, SileroVad
from streamer.vad.silero_network import CONTEXT, WINDOW, SileroNetwork
from streamer.weights.manifest import require

Windows = NDArray[np.float32]

METER = Meter(Monitor(), "vad")


@pytest.fixture(scope="module")
def path() -> Path:
    return require("silero-vad") / "silero_vad_16k_op15.onnx"


@pytest.fixture(scope="module")
def speech() -> Windows:
    """The first twelve seconds of a recording, as windows."""
    samples, rate = soundfile.read(require("moonshine-tiny-en") / "two_cities.wav", dtype="float32")
    resampler = Resampler(rate, 16_000)
    audio = np.concatenate([resampler.push(samples[: 12 * rate]), resampler.finish()])
    count = len(audio) // WINDOW
    return audio[: count * WINDOW].reshape(count, WINDOW)


@pytest.fixture(scope="module")
def alone(path: Path, speech: Windows) -> list[float]:
    """What one channel gets for it, one window a call."""

    async def one_by_one() -> list[float]:
        detector = SileroVad(path, 0, METER).open()
        return [(await detector.detect(window[np.newaxis]))[0] for window in speech]

    return asyncio.run(one_by_one())


def close(one: list[float], other: list[float]) -> bool:
    return np.allclose(one, other, rtol=0, atol=1e-4) and len(one) == len(other)


def test_the_network_is_the_published_one(path: Path, speech: Windows) -> None:
    reference = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    network = SileroNetwork(path)
    # Two channels at once, one of them quieter, and both with the context that each should have.
    windows = np.stack((speech, speech[::-1] / 10))
    before = np.pad(windows[:, :-1, -CONTEXT:], ((0, 0), (1, 0), (0, 0)))
    inputs = np.concatenate((before, windows), axis=2)
    expected_state, state = SileroNetwork.start(2), SileroNetwork.start(2)
    for turn in range(len(speech)):
        expected, expected_state = reference.run(
            None, {"input": inputs[:, turn], "state": expected_state, "sr": np.array(16_000)}
        )
        network.step(network.encode(inputs[:, turn]), state)
        found = network.probabilities(state[0])
        np.testing.assert_allclose(found, expected[:, 0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(state, expected_state, rtol=0, atol=1e-4)


def test_a_whole_signal_gets_what_its_windows_get(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    raised = InputGain().apply(speech).ravel()
    audio = np.concatenate((np.zeros(CONTEXT, np.float32), raised, speech[0, :100]))
    found, _ = SileroNetwork(path).follow(audio, SileroNetwork.start())
    assert close(found, alone)


def test_speech_is_likely_and_silence_is_not(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    loudness = np.abs(speech).mean(axis=1)
    assert np.mean(np.array(alone)[loudness > np.median(loudness)]) > 0.9
    for level in (0.0, 0.001):
        noise = np.random.default_rng(1).normal(size=(60, WINDOW)).astype(np.float32) * level
        assert max(asyncio.run(detect(SileroVad(path, 0, METER).open(), noise))) < 0.3


async def detect(detector: SileroDetector, windows: Windows) -> list[float]:
    return await detector.detect(windows)


@pytest.mark.parametrize("block", [2, 7, MAX_BATCH // 4, 100, 10_000])
async def test_the_size_of_a_block_does_not_matter(
    path: Path, speech: Windows, alone: list[float], block: int
) -> None:
    detector = SileroVad(path, 0, METER).open()
    found: list[float] = []
    for first in range(0, len(speech), block):
        found += await detector.detect(speech[first : first + block])
    assert close(found, alone)


@pytest.mark.parametrize("channels", [3, MAX_BATCH + 5])
async def test_many_channels_together_get_what_each_gets_alone(
    path: Path, speech: Windows, alone: list[float], channels: int
) -> None:
    # Each is at another place of the recording, and they send blocks of other sizes.
    engine = SileroVad(path, 0.001, METER)
    detectors = [engine.open() for _ in range(channels)]
    places = [0] * channels
    found: list[list[float]] = [[] for _ in range(channels)]
    step = 0
    while min(places) < 60:
        busy = [n for n in range(channels) if (n + step) % 3 and places[n] < 60]
        blocks = {n: speech[places[n] : places[n] + 1 + (n + step) % 4] for n in busy}
        results = await asyncio.gather(*(detectors[n].detect(blocks[n]) for n in busy))
        for n, result in zip(busy, results, strict=True):
            found[n] += result
            places[n] += len(result)
        step += 1
    for channel in found:
        assert close(channel, alone[: len(channel)])


def count_batches(engine: SileroVad) -> list[int]:
    """Windows in each call of the network, as they come."""
    sizes: list[int] = []
    encode = engine._network.encode

    def counted(windows: Windows) -> Windows:
        sizes.append(len(windows))
        return encode(windows)

    engine._network.encode = counted  # type: ignore[method-assign]
    return sizes


async def test_windows_of_many_channels_share_a_call(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0.005, METER)
    sizes = count_batches(engine)
    counts = [3, 1, 2] + [1] * MAX_BATCH
    detectors = [engine.open() for _ in counts]
    results = await asyncio.gather(
        *(d.detect(speech[:count]) for d, count in zip(detectors, counts, strict=True))
    )
    assert [len(result) for result in results] == counts
    assert sizes == [MAX_BATCH, 6]


async def test_a_batch_stays_open_for_a_while(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0.2, METER)
    sizes = count_batches(engine)
    first = engine.open().detect(speech[:1])
    await asyncio.sleep(0.01)
    second = engine.open().detect(speech[:1])
    assert await first == await second
    assert sizes == [2]


@pytest.mark.parametrize(("windows", "together"), [(MIN_INVITING - 1, False), (MIN_INVITING, True)])
async def test_one_who_has_waited_invites_others(
    path: Path, speech: Windows, windows: int, together: bool
) -> None:
    engine = SileroVad(path, 0.05, METER)
    sizes, found = count_batches(engine), list[asyncio.Future[list[float]]]()
    for _ in range(2):
        other = engine.open()
        wake = partial(lambda d: found.append(d.detect(speech[:MIN_INVITING])), other)
        engine.invitations.register(wake)
        await engine.open().detect(speech[:windows])
        engine.invitations.unregister(wake)
        await asyncio.gather(*found)
    assert sizes == ([windows + MIN_INVITING] if together else [windows]) * 2


async def test_context_and_state_are_carried(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0, METER)
    detector = engine.open()
    await detector.detect(speech[40:45])
    assert np.array_equal(detector.context, speech[44, -CONTEXT:])
    no_context = await _without(detector, "context", speech[45:46])
    no_state = await _without(detector, "state", speech[45:46])
    carried = await detector.detect(speech[45:46])
    assert not close(carried, no_context)
    assert not close(carried, no_state)


async def _without(detector: SileroDetector, what: str, windows: Windows) -> list[float]:
    """As `detector` would answer if it forgot one of the two."""
    other = detector._engine.open()
    other.context, other.state = detector.context, detector.state
    setattr(other, what, np.zeros_like(getattr(other, what)))
    return await other.detect(windows)


async def test_what_is_kept_is_no_view_of_the_batch(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0.001, METER)
    detectors = [engine.open() for _ in range(4)]
    await asyncio.gather(*(d.detect(speech[:1]) for d in detectors))
    for detector in detectors:
        assert detector.context.base is None
        assert detector.state.base is None


async def test_a_channel_that_went_away_disturbs_nobody(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    engine = SileroVad(path, 0.005, METER)
    gone = asyncio.ensure_future(engine.open().detect(speech[:9]))  # noqa: TID251
    sizes = count_batches(engine)
    stays = engine.open().detect(speech[:3])
    gone.cancel()
    assert close(await stays, alone[:3])
    assert sizes == [3]


async def test_a_defect_in_one_channel_reaches_no_other(
    path: Path, speech: Windows, alone: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    engine = SileroVad(path, 0.001, METER)
    bad, good = engine.open(), [engine.open() for _ in range(3)]
    bad.state = np.zeros((2, 1), np.float32)
    failed, *found = await asyncio.gather(
        bad.detect(speech[:2]),
        *(detector.detect(speech[:3]) for detector in good),
        return_exceptions=True,
    )
    assert isinstance(failed, DetectionFailed)
    assert isinstance(failed.__cause__, ValueError)
    assert all(close(each, alone[:3]) for each in found if isinstance(each, list))
    assert close(await good[0].detect(speech[3:6]), alone[3:6])
    (record,) = caplog.records
    assert record.exc_info is not None


async def test_a_failure_half_way_leaves_nothing_behind(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    engine = SileroVad(path, 0.001, METER)
    step, calls = engine._network.step, 0

    def failing(gates: Windows, state: Windows) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ZeroDivisionError
        step(gates, state)

    engine._network.step = failing  # type: ignore[method-assign]
    found = await asyncio.gather(*(engine.open().detect(speech[:4]) for _ in range(2)))
    assert all(close(each, alone[:4]) for each in found)


@pytest.mark.parametrize("defect", [ZeroDivisionError, StopIteration, MemoryError])
async def test_after_any_defect_the_detector_goes_on(
    path: Path, speech: Windows, alone: list[float], defect: type[Exception]
) -> None:
    engine = SileroVad(path, 0.001, METER)
    encode = engine._network.encode

    def failing(windows: Windows) -> Windows:
        raise defect("no")

    engine._network.encode = failing  # type: ignore[method-assign]
    two = (engine.open().detect(speech[:3]) for _ in range(2))
    for failed in await asyncio.gather(*two, return_exceptions=True):
        assert isinstance(failed, DetectionFailed)
        assert isinstance(failed.__cause__, defect)
    engine._network.encode = encode  # type: ignore[method-assign]
    assert close(await engine.open().detect(speech[:3]), alone[:3])


class Uncounted(Monitor):
    """Cannot count."""

    def stage(self, stage: Stage, processing_s: float, media_s: float) -> None:
        raise ZeroDivisionError


async def test_a_monitor_that_cannot_count_stops_nothing(
    path: Path, speech: Windows, alone: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    engine = SileroVad(path, 0.001, Meter(Uncounted(), "vad"))
    many = 2 * MAX_BATCH + 3
    found = await asyncio.gather(
        engine.open().detect(speech[:many]), *(engine.open().detect(speech[:3]) for _ in range(2))
    )
    assert [close(each, alone[: len(each)]) for each in found] == [True] * 3
    assert [len(each) for each in found] == [many, 3, 3]
    assert caplog.records


async def test_a_defect_outside_of_the_network_fails_its_batch_and_no_other(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    times = iter([ZeroDivisionError()])

    def clock() -> float:
        for error in times:
            raise error
        return 0.0

    engine = SileroVad(path, 0.001, Meter(Monitor(clock), "vad"))
    first, second = (engine.open().detect(speech[:3]) for _ in range(2))
    for failing in (first, second):
        with pytest.raises(DetectionFailed, match="ZeroDivisionError"):
            await failing
    assert close(await engine.open().detect(speech[:3]), alone[:3])


async def test_windows_of_a_wrong_size_are_refused_at_once(
    path: Path, speech: Windows, alone: list[float]
) -> None:
    engine = SileroVad(path, 0.001, METER)
    good = engine.open().detect(speech[:3])
    for wrong in (speech[:3, :-1], speech.ravel()):
        with pytest.raises(DetectionFailed, match=r"allowed: \(n, 512\)"):
            engine.open().detect(wrong)
    assert close(await good, alone[:3])


async def test_nobody_left_is_nothing_to_do(
    path: Path, speech: Windows, caplog: pytest.LogCaptureFixture
) -> None:
    engine = SileroVad(path, 0.001, METER)
    gone = asyncio.ensure_future(engine.open().detect(speech[:1]))  # noqa: TID251
    gone.cancel()
    await asyncio.sleep(0.05)
    assert len(await engine.open().detect(speech[:1])) == 1
    assert not caplog.records


async def test_channels_share_a_call_after_their_longest_turn(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0.005, METER)
    sizes = count_batches(engine)
    windows = math.ceil(MAX_DETECTION_DELAY_S * 16_000 / WINDOW)
    await asyncio.gather(*(engine.open().detect(speech[:windows]) for _ in range(2)))
    assert sizes == [2 * windows]


@pytest.mark.parametrize("level", [MAX_MAGNITUDE, 1e-45, 0.0])
async def test_samples_of_any_size_give_probabilities_and_are_forgotten(
    path: Path, speech: Windows, level: float
) -> None:
    signs = np.where(np.arange(20 * WINDOW).reshape(20, WINDOW) % 2, 1, -1)
    detector = SileroVad(path, 0, METER).open()
    found = await detector.detect((signs * level).astype(np.float32))
    assert all(0 <= probability <= 1 for probability in found)
    loud = await detector.detect(speech)
    assert max(loud) > 0.9
    assert min(loud) < 0.1


async def test_no_windows_no_probabilities(path: Path, speech: Windows) -> None:
    engine = SileroVad(path, 0.001, METER)
    some, none = engine.open().detect(speech[:2]), engine.open().detect(speech[:0])
    assert (len(await some), await none) == (2, [])


@pytest.mark.parametrize("place", [(3, 0, 5), (140, 0, 250), (129, 0, 7), (150, 0, 0)])
def test_weights_of_another_transform_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, place: tuple[int, int, int]
) -> None:
    """Half of the transform is not computed, because it is the mirror image of the other half."""
    weights = read_weights(path)
    basis = weights["model.stft.forward_basis_buffer"].copy()
    basis[place] += 0.01
    changed = {**weights, "model.stft.forward_basis_buffer": basis}
    monkeypatch.setattr("streamer.vad.silero_network.read_weights", lambda _: changed)
    with pytest.raises(ValueError, match="not symmetric"):
        SileroNetwork(path)

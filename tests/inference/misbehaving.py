"""Models for the pool's tests: what they do depends on the first sample of a segment."""

import dataclasses
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_info

from streamer import Dropped, Model, SegmentRequest, StatefulModel, Unwanted

Samples = npt.NDArray[np.float32]

FINE, DIE, RAISE, HANG, SLOW, DIE_ONCE, ODD, FORGE, WORK, QUIT, DROP, RAISE_IN_GATE = range(12)


class Obedient(Model):
    """Does as it is told, and answers with the number of samples and its process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def infer(self, samples: Samples) -> Mapping[str, object]:
        what = int(samples[0])
        if what == DIE:
            os.kill(os.getpid(), signal.SIGKILL)
        if what == DIE_ONCE and not (self.folder / "died").exists():
            (self.folder / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == RAISE:
            raise RuntimeError("told to fail")
        if what == FORGE:
            raise ValueError("caf\udce9\nINFO all is well" + "!" * 10_000)
        if what == ODD:
            return {"odd": object()}
        if what == HANG:
            while True:
                pass
        if what == SLOW:
            time.sleep(0.3)
        return {"count": len(samples), "tag": float(samples[-1]), "pid": os.getpid()}


class Batcher(Obedient):
    """Takes up to four at once, and answers with how many they were."""

    max_batch_size = 4
    max_batch_wait_ms = 200.0

    def infer_batch(self, batch: Sequence[Samples]) -> Sequence[Mapping[str, object]]:
        answers = [
            {**self.infer(samples), "batch": len(batch), "folder": self.folder.name}
            for samples in batch
        ]
        return answers[:-1] if int(batch[0][0]) == SLOW and len(batch) > 1 else answers


class Doubting(Obedient):
    """Decides only after inference that there was nothing."""

    def infer(self, samples: Samples) -> Mapping[str, object]:
        answer = super().infer(samples)
        return Dropped(dropped=answer["tag"]) if int(samples[0]) == DROP else answer


def gate(samples: Samples) -> Mapping[str, object] | None:
    if int(samples[0]) == RAISE_IN_GATE:
        raise RuntimeError("told to fail in the gate")
    return {"dropped": np.float32(samples[-1])} if int(samples[0]) == DROP else None


class Gated(Batcher):
    """Takes up to four at once, and drops some."""

    def gate(self, samples: Samples) -> Mapping[str, object] | None:
        return gate(samples)


class Patient(Obedient):
    """Works in steps for as many seconds as the last sample says, unless nobody waits any more."""

    max_batch_size = 2
    max_batch_wait_ms = 20.0

    def infer(self, samples: Samples) -> Mapping[str, object]:
        what = int(samples[0])
        if what == WORK:
            (self.folder / "begun").touch()
            end = time.monotonic() + float(samples[-1])
            while time.monotonic() < end:
                if self.unwanted():
                    raise Unwanted
                time.sleep(0.0005)
        if what == QUIT:
            raise Unwanted
        return super().infer(samples)


class Asked(Batcher):
    """Answers with what is wanted; its words are those that the last sample chooses."""

    languages = ("la",)
    returns_words = True
    uses_key_terms = True

    def infer_request(self, samples: Samples, request: SegmentRequest) -> Mapping[str, object]:
        asked = {**dataclasses.asdict(request), "draft": request.draft.decode()}
        answer = {**self.infer(samples), "request": asked}
        answer["folder"] = self.folder.name
        return answer | {"words": WORDS[int(samples[-1])]} if request.words else answer


WORD = {"text": "yes", "start_time": 0.0, "end_time": np.float32(0.5), "confidence": 0.75}
WORDS: list[object] = [
    [],
    [WORD],
    "yes",
    [WORD, {**WORD, "confidence": 1.5}],
    [{"text": "yes", "end_time": 0.5, "confidence": 0.75}],
    [{**WORD, "start_time": float("nan")}],
]


class GateWithWords(Asked):
    """Drops all that it is told to, with the words that the last sample chooses."""

    def gate(self, samples: Samples) -> Mapping[str, object] | None:
        return {"words": WORDS[int(samples[-1])]} if int(samples[0]) == DROP else None


class Drafting(Obedient):
    """Answers with the draft that it got; its next one is longer by the tag of the segment."""

    uses_drafts = True

    def infer_request(self, samples: Samples, request: SegmentRequest) -> Mapping[str, object]:
        what, got = int(samples[0]), request.draft.decode()
        following = f"{got}{int(samples[-1])}".encode()
        if what == WORK:
            (self.folder / "begun").touch()
            while not self.unwanted():
                time.sleep(0.0005)
            raise Unwanted(following)
        if what == ODD:
            return {"got": got, "draft": "text"}
        if what == FORGE:
            return {"got": got, "draft": bytes((1 << 16) + 1)}
        if what == DROP:
            return Dropped(got=got, draft=following)
        return {"got": got, "draft": following}


class Running(StatefulModel):
    """The sum of all it has heard on a channel."""

    def infer_next(
        self, samples: Samples, state: float | None
    ) -> tuple[Mapping[str, object], float]:
        if int(samples[0]) == RAISE:
            raise RuntimeError("told to fail")
        total = (state or 0.0) + float(samples.sum())
        return {"sum": total}, total


class GatedRunning(Running):
    """The sum of all that it has not dropped."""

    def gate(self, samples: Samples) -> Mapping[str, object] | None:
        return gate(samples)


class Threads(Model):
    """How many threads NumPy's products use."""

    def infer(self, samples: Samples) -> Mapping[str, object]:
        products = [each for each in threadpool_info() if each["user_api"] == "blas"]
        return {"threads": [each["num_threads"] for each in products]}


class Unloadable(Model):
    """Cannot be loaded."""

    def __init__(self) -> None:
        raise OSError("no weights here")

    def infer(self, samples: Samples) -> Mapping[str, object]:
        return {}

"""`streamer models check`: real workers, and what is said about a model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from rich.console import Console

from streamer.check.judgement import notes, percentile, problems
from streamer.check.probe import ProbeReport, SoundOutcome
from streamer.check.probe_batch import Together
from streamer.check.target import Target
from streamer.cli.check import check as check_models
from streamer.cli.command_line import CommandLine
from streamer.cli.models import add_parser
from streamer.config.schema import Config
from streamer.inference.ipc import Ready
from streamer.models.registry import ModelSpec
from tests.models.conftest import Make

EXAMPLES = Path(__file__).parents[2] / "docs/examples"

MODELS = """
import os
import time

import numpy as np

from streamer import Model


class Broken(Model):
    def infer(self, samples):
        raise ValueError("no such weights")


class Picky(Model):
    '''Falls over what is short, and dies on a second of anything but silence.'''

    def warm_up(self):
        pass

    def infer(self, samples):
        if len(samples) < 8_000:
            raise ValueError("too short")
        if len(samples) == 16_000 and samples.any():
            os.abort()
        return {"type": "mine", "level": float("nan")}


class Stuck(Model):
    def warm_up(self):
        pass

    def infer(self, samples):
        if samples.any():
            time.sleep(600)
        return {"level": 0.0}


class Mixing(Model):
    max_batch_size = 4

    def infer(self, samples):
        return {"level": float(np.abs(samples).max()), "text": "a"}

    def infer_batch(self, batch):
        outputs = [self.infer(samples) for samples in batch]
        return outputs[-1:] + outputs[:-1]


class Short(Model):
    '''Has a result too few for a full batch.'''

    max_batch_size = 16

    def infer(self, samples):
        return {"level": float(np.abs(samples).max())}

    def infer_batch(self, batch):
        return [self.infer(samples) for samples in batch][:15]


class Timed(Model):
    '''Its words are as the options say.'''

    returns_words = True

    def __init__(self, start=0.0, end=0.1, confidence=0.5, said="yes", words=True):
        self.word = {"text": said, "start_time": start, "end_time": end, "confidence": confidence}
        self.words = words

    def infer(self, samples):
        return {"text": "yes"}

    def infer_request(self, samples, request):
        words = {"words": [self.word]} if request.words and self.words else {}
        return {**self.infer(samples), **words}


class WordsInGate(Timed):
    def __init__(self, words):
        super().__init__()
        self.dropped_words = words

    def gate(self, samples):
        return None if samples.any() else {"text": "", "words": self.dropped_words}


class Second(Model):
    '''Fails for the folder of the second model only.'''

    def __init__(self, folder):
        self.folder = folder

    def infer(self, samples):
        return {"text": object()} if self.folder.name == "small" else {"text": ""}


class Drafting(Model):
    '''Uses drafts, or depends on them in the way that the options name.'''

    def __init__(self, fault=""):
        self.fault = fault
        self.uses_drafts = fault != "off"

    uses_drafts = True

    def infer(self, samples):
        return {"text": ""}

    def infer_request(self, samples, request):
        known = request.draft in (b"", b"mine")
        if self.fault == "raises" and not known:
            raise ValueError("no such draft")
        if self.fault == "random":
            return {"number": time.perf_counter(), "draft": b"mine"}
        if self.fault == "changes" and samples.any():
            return {"text": request.draft.hex(), "draft": b"mine"}
        return {"text": "yes"} | ({} if self.fault in ("never", "off") else {"draft": b"mine"})


class Particular(Model):
    '''Fails for the requests that the options name.'''

    uses_key_terms = True

    def __init__(self, folder=None, fails=""):
        self.fails = fails if folder is None or folder.name == "small" else ""

    def infer(self, samples):
        return {"text": ""}

    def infer_request(self, samples, request):
        if self.fails == "interim" and request.interim and samples.any():
            raise ValueError("no interims here")
        if self.fails == "terms" and "Jean Valjean" in request.key_terms:
            raise ValueError("no such terms")
        return self.infer(samples)


class Lazy(Model):
    pass


class Moody(Model):
    def __init__(self):
        self.count = 0

    def infer(self, samples):
        self.count += 1
        return {"count": self.count}
"""


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Check = Callable[..., Outcome]


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str]) -> Check:
    def run(path: str | Path, *more: str | Path) -> Outcome:
        parser = CommandLine()
        add_parser(parser.add_subparsers())
        args = parser.parse_args(["models", "check", str(path), *map(str, more)])
        code = args.run(args)
        return Outcome(code, *capfd.readouterr())

    return run


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own.py").write_text(MODELS)
    (tmp_path / "standin.json").write_text('{"model": {"type": "standin"}}')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_good_model_is_measured(check: Check) -> None:
    outcome = check(EXAMPLES / "bands")
    assert outcome.code == 0, outcome.err
    assert outcome.err == ""
    first, header, *rows, memory, verdict = outcome.out.splitlines()
    assert first.startswith("bands (classifier): loaded in ")
    assert first.endswith("16000 Hz, one segment at a time")
    assert header.split("  ")[0] == "sound"
    assert len(rows) == 5
    for row, start in zip(rows, ("silence", "noise"), strict=False):
        assert row.startswith(start)
    assert all(row.count(" ms ") == 2 and '{"low": 0.' in row for row in rows)
    assert memory.startswith("memory: ")
    assert verdict == "nothing is wrong with it"


RATE_OF_FILES = 8_000
"""Hz; not that of the models."""


def write_tone(path: Path, seconds: float, *, channels: int = 1) -> Path:
    """Silence, and in its last 0.4 s a tone of 3000 Hz in the last channel."""
    time_s = np.arange(round(seconds * RATE_OF_FILES)) / RATE_OF_FILES
    tone = 0.5 * np.sin(2 * np.pi * 3_000 * time_s) * (time_s >= seconds - 0.4)
    audio = np.zeros((len(tone), channels))
    audio[:, -1] = tone
    soundfile.write(path, audio, RATE_OF_FILES)
    return path


def test_a_recording_of_ones_own_runs_as_a_segment_and_in_chunks(
    check: Check, tmp_path: Path
) -> None:
    beep = write_tone(tmp_path / "beep.wav", 2.5)
    outcome = check(EXAMPLES / "alarm", "--audio", beep)
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    (whole,) = [line for line in lines if line.startswith("beep.wav  ")]
    assert whole.split()[1] == "2.5"
    assert json.loads(whole[whole.index("{") :])["alarm"] > 0.9
    assert "in chunks of 1 s (simple.chunk_seconds):" in lines
    chunks = [line for line in lines if line.startswith("beep.wav, ")]
    times = ["0.00 → 1.00 s", "1.00 → 2.00 s", "2.00 → 2.50 s"]
    assert [line[len("beep.wav, ") :].split("  ")[0] for line in chunks] == times
    alarms = [json.loads(line[line.index("{") :])["alarm"] for line in chunks]
    assert alarms[:2] == [0.0, 0.0]
    assert alarms[2] > 0.9


def test_channels_run_separately_and_each_recording_runs(check: Check, tmp_path: Path) -> None:
    stereo = write_tone(tmp_path / "two.flac", 0.5, channels=2)
    mono = write_tone(tmp_path / "one.wav", 0.5)
    out = check(EXAMPLES / "alarm", "--audio", stereo, "--audio", mono).out
    for name in ("two.flac, channel 1", "two.flac, channel 2", "one.wav"):
        assert f"\n{name}  " in out
        assert f"\n{name}, 0.00 → 0.50 s  " in out


def test_a_stateful_model_keeps_its_state_from_chunk_to_chunk(check: Check, tmp_path: Path) -> None:
    beep = write_tone(tmp_path / "beep.wav", 3.0)
    out = check(EXAMPLES / "onset", "--audio", beep).out
    chunks = [line for line in out.splitlines() if line.startswith("beep.wav, ")]
    above = [json.loads(line[line.index("{") :])["above_usual_db"] for line in chunks]
    assert above[:2] == [0.0, 0.0]
    assert above[2] > 20


def test_a_recording_longer_than_a_segment_runs_in_chunks_only(check: Check, own: Path) -> None:
    config = {"model": {"type": "standin"}, "vad": {"max_segment_ms": 1_000}}
    (own / "short.json").write_text(json.dumps(config))
    outcome = check("short.json", "--audio", write_tone(own / "long.wav", 2.5))
    assert outcome.code == 0, outcome.err
    assert "\nlong.wav  " not in outcome.out
    assert "\nlong.wav, 2.00 → 2.50 s  " in outcome.out
    assert "note: long.wav: longer than a segment (vad.max_segment_ms)" in outcome.out


def test_what_fails_on_a_recording_is_a_problem(check: Check, own: Path) -> None:
    outcome = check("own:Picky", "--audio", write_tone(own / "tone.wav", 1.2))
    assert outcome.code == 1
    assert "tone.wav, 0.00 → 1.00 s: its process died" in outcome.err
    assert "tone.wav, 1.00 → 1.20 s: it raised ValueError: too short" in outcome.err


@pytest.mark.parametrize(
    ("content", "says"), [(None, "does not exist"), (b"no audio", "is not an audio file")]
)
def test_a_recording_that_cannot_be_read(
    check: Check, own: Path, content: bytes | None, says: str
) -> None:
    path = own / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    outcome = check("standin.json", "--audio", path)
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1
    assert "bad.wav" in outcome.err
    assert says in outcome.err


def test_a_folder_a_file_and_a_name_lead_to_the_same(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMER_MODELS", str(EXAMPLES))
    for named in (EXAMPLES / "bands/model.json", EXAMPLES / "bands/config.json", "bands"):
        outcome = check(named)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith("bands (classifier): ")


def test_the_file_in_which_a_class_was_found_is_told(check: Check, own: Path) -> None:
    outcome = check("own:Moody")
    assert outcome.out.startswith(f"Moody (own:Moody of {own / 'own.py'}): loaded in ")


def test_all_models_of_a_configuration_are_checked(check: Check, own: Path) -> None:
    models = [
        {"type": "standin", "name": "one", "options": {"sample_rate": 8000}},
        {"type": "own:Broken", "name": "other"},
    ]
    (own / "both.json").write_text(json.dumps({"models": models}))
    outcome = check("both.json")
    assert outcome.code == 1
    assert "one (standin): loaded" in outcome.out
    assert "8000 Hz" in outcome.out
    assert '{"count": 8000}' in outcome.out
    assert "other: ValueError: no such weights" in outcome.err


DYING = """
import os
import signal
from streamer import Model

class Crashing(Model):
    def infer(self, samples):
        if len(samples) and abs(samples).max() > 0:
            os.kill(os.getpid(), signal.SIGSEGV)
        return {}

class Loading(Model):
    def __init__(self):
        os.kill(os.getpid(), signal.SIGKILL)
    def infer(self, samples):
        return {}

class Together(Model):
    max_batch_size = 4
    def infer(self, samples):
        return {"x": 1}
    def infer_batch(self, batch):
        if len(batch) > 1 and any(len(samples) for samples in batch):
            os._exit(3)
        return [{"x": 1} for _ in batch]
"""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Crashing", "its process died: killed by SIGSEGV: a library in native code"),
        ("Loading", "its process died: killed by SIGKILL: perhaps the machine"),
        ("Together", "died"),
    ],
)
def test_how_a_process_died_is_told(check: Check, own: Path, name: str, says: str) -> None:
    (own / "dying.py").write_text(DYING)
    outcome = check(f"dying:{name}")
    assert outcome.code == 1
    assert says in outcome.err


def test_every_sound_is_tried_whatever_the_others_do(check: Check, own: Path) -> None:
    outcome = check("own:Picky")
    assert outcome.code == 1
    lines = outcome.err.splitlines()
    assert [line for line in lines if "short: it raised ValueError: too short" in line]
    assert [line for line in lines if "noise: its process died: killed by SIG" in line]
    assert len(lines) == 3
    assert [line for line in lines if "never see the field 'type'" in line]
    assert (
        "note: silence; speech; speech, long: null in 'level'; NaN and infinity arrive as null"
        in outcome.out
    )
    assert outcome.out.count("failed") == 2
    assert "nothing is wrong" not in outcome.out


def test_a_model_that_hangs_is_ended(check: Check, own: Path) -> None:
    config = {"model": {"type": "own:Stuck"}, "inference": {"timeout_seconds": 0.2}}
    (own / "config.json").write_text(json.dumps(config))
    outcome = check(own)
    assert outcome.code == 1
    sounds = "noise; speech; speech, short; speech, long"
    assert f"{sounds}: it took over 0.2 s (inference.timeout_seconds)\n" in outcome.err
    assert '{"level": 0.0}' in outcome.out


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("sample_rate = 0", "sample_rate of model.type 'odd:Odd' is 0; allowed: a whole number"),
        ("sample_rate = 44100.5", "is 44100.5; allowed: a whole number of Hz"),
        ("max_batch_size = 0", "max_batch_size of model.type 'odd:Odd' is 0; allowed: a whole"),
        ("max_batch_wait_ms = -1", "is -1; allowed: a number from 0"),
        ("max_seconds = 0", "max_seconds of model.type 'odd:Odd' is 0; allowed: a number above 0"),
        (
            "max_batch_size = True",
            "max_batch_size of model.type 'odd:Odd' is True; allowed: a whol",
        ),
        ("returns_words = 1", "returns_words of model.type 'odd:Odd' is 1; allowed: True or False"),
        ("uses_drafts = 0", "uses_drafts of model.type 'odd:Odd' is 0; allowed: True or False"),
        ("uses_key_terms = None", "uses_key_terms of model.type 'odd:Odd' is None; allowed: True"),
        (
            "languages = ('en')",
            "is 'en'; allowed: a tuple of codes of languages, such as (\"en\",)",
        ),
        (
            "languages = None",
            "languages of model.type 'odd:Odd' is None; allowed: a tuple of codes",
        ),
    ],
)
def test_what_a_model_cannot_want_is_named(
    check: Check, own: Path, attribute: str, says: str
) -> None:
    body = (
        f"class Odd(Model):\n    {attribute}\n    def infer(self, samples):\n        return {{}}\n"
    )
    (own / "odd.py").write_text(f"from streamer import Model\n\n{body}")
    outcome = check("odd:Odd")
    assert outcome.code == 1
    assert says in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_batch_that_mixes_its_results_is_found_out(check: Check, own: Path) -> None:
    outcome = check("own:Mixing")
    assert outcome.code == 1
    assert "infer_batch gives other outputs than each segment alone" in outcome.err
    assert "up to 4 segments at a time" in outcome.out


def test_a_batch_with_too_few_results_is_found_out(check: Check, own: Path) -> None:
    """The worker runs each segment alone then, so that its results are those of the model."""
    outcome = check("own:Short")
    assert outcome.code == 1
    assert outcome.err == (
        "streamer models: Short: infer_batch fails, so that each segment of a batch runs alone: "
        "ValueError: infer_batch returned 15 results for 16 segments "
        f"({own / 'own.py'}:58 in infer_batch)\n"
    )
    assert "nothing is wrong" not in outcome.out
    assert "in a batch" not in outcome.out


def test_a_model_with_moods_is_noted(check: Check, own: Path) -> None:
    outcome = check("own:Moody")
    assert outcome.code == 0
    assert "note: the same audio gives different outputs (silence; noise; " in outcome.out
    assert outcome.out.endswith("\nit can serve, if the notes are as meant\n")


def test_a_file_that_does_not_fit_is_explained(check: Check, classifier: Make) -> None:
    outcome = check(classifier(scores=["a", "b", "c"]))
    assert outcome.code == 1
    assert "its output 'scores' has 2 scores; 'classifier.scores' names 3: a, b, c" in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("nowhere", "'nowhere' is not a folder, a configuration file or a module:Class"),
        ("own", "own.py is Python: name a class in it: streamer models check own:Broken"),
        ("own:Nothing", "own.py, and it has no 'Nothing'; allowed: Broken or Picky or Stuck"),
        ("own:Lazy", "model.type 'own:Lazy' has no method infer, which every Model needs (/"),
        ("signal:Alarm", "'signal' was found in "),
        ("sys:Alarm", "'sys' was found in Python itself, and it has no 'Alarm'; allowed: a class"),
        (":Nothing", "cannot import model.type ':Nothing'"),
        ("os.path:join", "is not a subclass of streamer.Model"),
        (".", "has no model.json and no config.json"),
        ("bad.json", "'model.type' is \"magic\"; allowed: one of moonshine, standin"),
        ("strange/model.json", "'kind' is 'oracle'; allowed: one of moonshine, classifier, silero"),
    ],
)
def test_what_is_no_model_is_said_in_one_line(
    check: Check, own: Path, named: str, words: str
) -> None:
    (own / "bad.json").write_text('{"model": {"type": "magic"}}')
    (own / "strange").mkdir()
    (own / "strange/model.json").write_text('{"name": "strange", "kind": "oracle"}')
    outcome = check(named)
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("beep:Beep", "'beep' is the folder FOLDER/beep, and has no 'Beep' itself; did you mean "),
        ("beep:Beep", "did you mean beep.beep:Beep, or beep:Beep from within that folder?"),
        ("beep:Bep", "did you mean beep.beep:Beep, or"),
        ("package:Beep", "is the folder FOLDER/package, and has no 'Beep' itself; did you mean"),
        ("empty:Beep", "is the folder FOLDER/empty, and has no 'Beep' itself; allowed: a class"),
        ("beep/beep:Beep", "cd beep && streamer models check beep:Beep"),
        ("beep/beep.py:Beep", "cd beep && streamer models check beep:Beep"),
        ("beep/beep:Bep", "cd beep && streamer models check beep:Beep"),
        ("beep/beep", "cd beep && streamer models check beep:Beep"),
        ("beep", "to check the class in beep/beep.py: cd beep && streamer models check beep:Beep"),
        ("beep.beep.Beep", "did you mean streamer models check beep.beep:Beep?"),
        ("slash.json", "'model.type' is \"beep/beep:Beep\"; did you mean beep.beep:Beep?"),
        ("up.json", "'model.type' is \"../beep:Beep\"; allowed: one of moonshine"),
        ("folder.json", "'beep' is the folder FOLDER/beep"),
    ],
)
def test_a_class_in_a_folder_is_found_for_whoever_names_it_otherwise(
    check: Check, own: Path, named: str, says: str
) -> None:
    for name in ("beep", "package", "empty"):
        (own / name).mkdir()
    source = RAISING.format(name="Beep", init="pass", infer="return {}")
    for name in ("beep", "package"):
        (own / name / "beep.py").write_text(source)
    (own / "package/__init__.py").touch()
    types = {"slash": "beep/beep:Beep", "up": "../beep:Beep", "folder": "beep:Beep"}
    for name, model_type in types.items():
        (own / f"{name}.json").write_text(json.dumps({"model": {"type": model_type}}))
    outcome = check(named)
    assert outcome.code == 1
    assert says.replace("FOLDER", str(own)) in outcome.err
    assert outcome.err.count("\n") == 1


RAISING = """
from streamer import Model

class {name}(Model):
    def __init__(self, scale: float = 1.0):
        {init}
    def infer(self, samples):
        {infer}
"""


@pytest.mark.parametrize(
    ("init", "infer", "says"),
    [
        ("raise OSError('no weights')", "return {}", "OSError: no weights (FILE:6 in __init__)"),
        ("self.a = int('x')", "return {}", "invalid literal for int() with base 10: 'x' (FILE:6"),
        ("pass", "return {'a': self.missing}", "no attribute 'missing' (FILE:8 in infer)"),
        ("import json; json.loads('{')", "return {}", " (FILE:6 in __init__)"),
        ("pass", "return {]", " (FILE:8)"),
    ],
)
def test_a_model_that_raises_while_it_is_built_is_told_with_its_place(
    check: Check, own: Path, init: str, infer: str, says: str
) -> None:
    file = own / "raising.py"
    file.write_text(RAISING.format(name="Raising", init=init, infer=infer))
    outcome = check("raising:Raising")
    assert outcome.code == 1
    assert says.replace("FILE", str(file)) in outcome.err
    assert outcome.err.count("\n") == 1


def test_options_that_a_model_does_not_take_are_told(check: Check, own: Path) -> None:
    (own / "raising.py").write_text(RAISING.format(name="Fine", init="pass", infer="return {}"))
    model = {"type": "raising:Fine", "options": {"scael": 2}}
    (own / "config.json").write_text(json.dumps({"model": model}))
    outcome = check("config.json")
    assert outcome.code == 1
    assert "got an unexpected keyword argument 'scael'; it takes scale ('folder'" in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_places_where_a_module_was_looked_for_are_told(check: Check, own: Path) -> None:
    outcome = check("nowhere:Model")
    assert f"No module named 'nowhere'; looked in {own} and among" in outcome.err
    assert "ModelTypeError" not in outcome.err
    assert outcome.err.startswith("streamer models: Model: cannot import model.type")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("beepr:Beeper", "beeper:Beeper"),
        ("Beeper:Beeper", "beeper:Beeper"),
        ("beepr:Beepr", "beeper:Beeper"),
        ("sound.beepr:Beeper", "sound.beeper:Beeper"),
        ("ons:Broken", "own:Broken"),
        ("whistle:Beeper", None),
    ],
)
def test_a_module_whose_name_is_nearly_right_is_named(
    check: Check, own: Path, written: str, meant: str | None
) -> None:
    beeper = "from streamer import Model\n\nclass Beeper(Model):\n    pass\n"
    (own / "sound").mkdir()
    for name in ("beeper.py", "sound/beeper.py"):
        (own / name).write_text(beeper)
    outcome = check(written)
    assert outcome.code == 1
    if meant is None:
        assert "did you mean" not in outcome.err
    else:
        assert f"; did you mean {meant}?" in outcome.err


USUAL = """
from streamer import Model


class NotModel:
    def infer(self, samples):
        return {}


class InPlace(Model):
    def infer(self, samples):
        samples *= 2
        return {}


class Item(Model):
    def infer(self, samples):
        samples[0] = 2
        return {}


class Late(Model):
    def infer(self, samples):
        import librosaa
        return {}
"""

COPY = "; samples cannot be changed in place: begin with samples = samples.copy()"
PIP = "; install a package that your class needs for the server: .venv/bin/python -m pip install "


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("usual:NotModel", "a subclass of streamer.Model; write class NotModel(streamer.Model), o"),
        (
            "alone:NotModel",
            "not a subclass of streamer.Model; write class NotModel(streamer.Model)",
        ),
        ("usual:InPlace", f"output array is read-only{COPY}"),
        ("usual:Item", f"assignment destination is read-only{COPY}"),
        ("usual:Late", f"No module named 'librosaa'{PIP}"),
        ("early:Early", f"No module named 'librosaa'{PIP}"),
    ],
)
def test_a_usual_mistake_in_a_class_is_answered_with_what_to_write(
    check: Check, own: Path, named: str, says: str
) -> None:
    (own / "usual.py").write_text(USUAL)
    (own / "alone.py").write_text("class NotModel:\n    pass\n")
    (own / "early.py").write_text("import librosaa\n")
    outcome = check(named)
    assert outcome.code == 1
    assert says in outcome.err


def test_an_onnx_file_leads_to_its_folder(check: Check, classifier: Make) -> None:
    folder = classifier()
    outcome = check(folder / "model.onnx")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(f"{json.loads((folder / 'model.json').read_text())['name']} (")


def test_what_an_onnx_file_proposes_can_be_checked(check: Check, classifier: Make) -> None:
    folder = classifier()
    (folder / "model.json").unlink()
    file = (folder / "model.onnx").rename(folder / "alarm.onnx")
    assert f"`streamer models check {file}` shows what to write" in check(folder).err
    outcome = check(file)
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    found, proposed = outcome.err.split("sample rate: ")
    assert f"{file} has the input" in found
    (folder / "model.json").write_text(proposed)
    outcome = check(file)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("alarm (classifier): loaded in ")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.onnx", b"not onnx", "cannot be read as ONNX"),
        ("a.py", b"", "&& streamer models check a:Class"),
        ("a.py", b"class A:\n\nclass B(StatefulModel):\n", "&& streamer models check a:B"),
        ("a.pt", b"PK", "export it to ONNX, or write a class that loads it"),
        ("a.bin", b"\xff", "is no configuration, no model.json and no ONNX file"),
        ("a.json", b"\xff", "is not text in UTF-8 (byte 0)"),
        ("b.onnx", None, "b.onnx does not exist"),
    ],
)
def test_a_file_that_is_no_model_is_understood(
    check: Check, own: Path, name: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        (own / name).write_bytes(content)
    outcome = check(own / name)
    assert outcome.code == 1
    assert says in outcome.err
    assert outcome.err.count("\n") == 1


WRONG_RESULTS = {
    "3": "TypeError: infer returned int; it must return a mapping",
    "0.5": "TypeError: infer returned float; it must return a mapping",
    "None": "TypeError: infer returned NoneType; it must return a mapping",
    "{'alarm'}": "TypeError: infer returned set; it must return a mapping",
    "{'alarm': object()}": "TypeError: infer returned object in 'alarm', which JSON cannot",
    "{'alarm': samples.fill(0)}": "ValueError: assignment destination is read-only",
}


@pytest.mark.parametrize("result", WRONG_RESULTS)
def test_a_wrong_result_is_found_while_the_model_is_loaded(
    own: Path, check: Check, result: str
) -> None:
    file = own / "wrong.py"
    body = f"class Wrong(Model):\n    def infer(self, samples):\n        return {result}\n"
    file.write_text(f"from streamer import Model\n\n{body}")
    outcome = check("wrong:Wrong")
    assert outcome.code == 1
    line = 5 if "fill" in result else 4
    says = f"Wrong: {WRONG_RESULTS[result]}"
    assert outcome.err.startswith(f"streamer models: {says}")
    assert outcome.err.endswith(f" ({file}:{line} in infer)\n")
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("method", "says"),
    [
        ("infer_next(self, samples, state): return {1}, 2", "infer_next returned set; it must"),
        ("infer_next(self, samples, state): return {}", "infer_next returned dict; it must return"),
        ("infer_next(self, samples, state): return 1, 2, 3", "infer_next returned tuple of 3;"),
        ("infer_next(self, samples, state): return {}, print", None),
        (
            "infer_next(self, samples, state): return {}, (i for i in [])",
            "infer_next returned a state (generator) that cannot be pickled",
        ),
        ("infer_request(self, samples, request): return 1", "infer_request returned int; it must"),
        (
            "infer_batch(self, batch): return [1 for _ in batch]",
            "infer_batch returned int; it must",
        ),
        ("infer_batch(self, batch): return None", "infer_batch returned NoneType; it must"),
        (
            "infer_batch(self, batch): return {'a': 1}",
            "infer_batch returned dict; it must return a",
        ),
        ("infer_batch(self, batch): return []", "infer_batch returned 0 results for 1 segments"),
        ("infer_batch(self, batch): return (i for i in [])", "infer_batch returned generator; it"),
    ],
)
def test_the_method_with_the_wrong_result_is_the_one_that_segments_get(
    own: Path, check: Check, method: str, says: str | None
) -> None:
    name = method.split("(")[0]
    base = "StatefulModel" if name == "infer_next" else "Model"
    rest = "" if name == "infer_next" else "    def infer(self, samples): return {}\n"
    body = f"class Wrong({base}):\n    def {method}\n{rest}"
    (own / "wrong.py").write_text(f"from streamer import {base}\n\n{body}")
    outcome = check("wrong:Wrong")
    if says is None:
        assert outcome.code == 0
        return
    assert outcome.err.startswith(f"streamer models: Wrong: TypeError: {says}") or (
        outcome.err.startswith(f"streamer models: Wrong: ValueError: {says}")
    )
    assert outcome.err.endswith(f" ({own / 'wrong.py'}:4 in {name})\n")


@pytest.mark.parametrize(
    ("base", "methods", "says"),
    [
        (
            "Model",
            "def infer(self, samples):\n        return {SET} if samples.any() else {}",
            "infer returned set in 'a', which JSON cannot represent; allowed: PLACE in infer",
        ),
        (
            "Model",
            "def infer(self, samples):\n        return 0.5 if samples.any() else {}",
            'infer returned float; it must return a mapping such as {"score": 0.5} PLACE in infer',
        ),
        (
            "Model",
            "def gate(self, samples):\n        return True\n    def infer(self, s): return {}",
            "gate returned bool; it must return a mapping such as PLACE in gate",
        ),
        (
            "StatefulModel",
            "def infer_next(self, samples, s):\n        return ({}, 1) if s is None else {}",
            "infer_next returned dict; it must return two values PLACE in infer_next",
        ),
        (
            "Model",
            "def infer(self, s):\n        import json\n        return json.loads('{' if s.any() "
            "else '{}')",
            "JSONDecodeError: Expecting property name PLACE in infer",
        ),
    ],
)
def test_the_place_is_told_of_what_goes_wrong_after_the_model_is_loaded(
    own: Path, check: Check, base: str, methods: str, says: str
) -> None:
    methods = methods.replace("{SET}", "{'a': {1}}")
    file = own / "late.py"
    file.write_text(f"from streamer import {base}\n\nclass Late({base}):\n    {methods}\n")
    outcome = check("late:Late")
    assert outcome.code == 1
    what, name = says.split(" PLACE in ")
    assert what in outcome.err
    line = 6 if "JSONDecodeError" in what else 4
    assert f" ({file}:{line} in {name})\n" in outcome.err


def test_why_a_batch_fails_is_told_with_its_place(own: Path, check: Check) -> None:
    body = "    max_batch_size = 4\n    def infer(self, samples): return {}\n"
    batch = "    def infer_batch(self, batch): return [{}]\n"
    (own / "few.py").write_text(f"from streamer import Model\n\nclass Few(Model):\n{body}{batch}")
    outcome = check("few:Few")
    assert "infer_batch returned 1 results for 4 segments" in outcome.err
    assert outcome.err.endswith(f" ({own / 'few.py'}:6 in infer_batch)\n")


def test_a_terminal_gets_bars(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terminal = Console(force_terminal=True, width=150, color_system=None)
    assert check_models("standin.json", terminal, Console(stderr=True)) == 0
    assert capfd.readouterr().out.count("█") >= 5


def report(*outcomes: SoundOutcome, together: Together | None = None) -> ProbeReport:
    target = Target(ModelSpec("own:Model", "mine"), Config())
    return ProbeReport(
        target, Ready(16_000, 4, 0.0, False), outcomes=[*outcomes], together=together
    )


def sound_outcome(seconds: float, audio_s: float = 1.0) -> SoundOutcome:
    return SoundOutcome("noise", audio_s, ({"a": 1},), (seconds,))


def failed(sound: str, failure: str) -> SoundOutcome:
    return SoundOutcome(sound, 1.0, (), (), failure)


def test_a_problem_of_several_sounds_is_told_once() -> None:
    every = report(failed("a", "it raised"), failed("b", "it raised"))
    assert list(problems(every)) == ["every sound: it raised"]
    mixed = report(failed("a", "it raised"), failed("b", "it died"), failed("c", "it raised"))
    assert list(problems(mixed)) == ["a; c: it raised", "b: it died"]
    empty = SoundOutcome("a", 1.0, ({},), (0.1,))
    (note,) = notes(report(empty, empty))
    assert note == "every sound: the output is empty, so the segment has only its times"


def test_a_model_is_judged_by_its_real_time_factor() -> None:
    assert list(problems(report(sound_outcome(0.4)))) == []
    assert list(notes(report(sound_outcome(0.4)))) == []
    assert list(problems(report(sound_outcome(0.6)))) == []
    assert list(notes(report(sound_outcome(0.6)))) == [
        "slow for live use, with interims above all: noise"
    ]
    (problem,) = problems(report(sound_outcome(3, audio_s=2)))
    assert problem == "noise: 2 s of audio took 3.00 s; one worker cannot keep up with one channel"


@pytest.mark.parametrize(
    ("alone", "together", "alike"),
    [
        ({"a": 1.0}, {"a": 1.0005}, True),
        ({"a": 1.0}, {"a": 1.1}, False),
        ({"a": [1.0, {"b": 2}]}, {"a": [1.0, {"b": 2.0}]}, True),
        ({"a": [1.0]}, {"a": [1.0, 2.0]}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": "x"}, {"a": "y"}, False),
        ({"a": 1.0}, {"b": 1.0}, False),
    ],
)
def test_a_batch_may_differ_by_rounding_only(
    alone: dict[str, Any], together: dict[str, Any], alike: bool
) -> None:
    compared = Together(4, (alone,), (together,), 0.01, 0.005)
    assert (list(problems(report(together=compared))) == []) is alike


def test_a_batch_that_costs_more_is_noted() -> None:
    compared = Together(4, ({},), ({},), 0.010, 0.012)
    (note,) = notes(report(together=compared))
    assert "10.00 ms alone and 12.00 ms in a batch of 4" in note


def test_percentiles_are_of_the_runs() -> None:
    runs = SoundOutcome("noise", 1.0, (), tuple(float(n) for n in range(20, 0, -1)))
    assert (percentile(runs, 50), percentile(runs, 95), percentile(runs, 100)) == (10, 19, 20)
    assert percentile(sound_outcome(0.3), 95) == 0.3


def timed(check: Check, own: Path, **options: object) -> Outcome:
    """Check a model with words."""
    path = own / "timed.json"
    path.write_text(json.dumps({"model": {"type": "own:Timed", "options": options}}))
    return check(path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"start": 0.2}, "'words[0]' starts at 0.2 s and ends before that, at 0.1 s"),
        ({"end": 99.0}, "'words[0]' is from 0 s to 99 s; allowed: within the audio, 0 to "),
        ({"start": -0.5}, "'words[0]' is from -0.5 s to 0.1 s; allowed: within the audio"),
        ({"confidence": 1.5}, "'words[0].confidence' is 1.5; allowed: a number from 0"),
        ({"said": 3}, "'words[0].text' is 3; allowed: text"),
    ],
)
def test_wrong_words_are_problems(
    check: Check, own: Path, options: dict[str, object], says: str
) -> None:
    outcome = timed(check, own, **options)
    assert outcome.code == 1
    assert says in outcome.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (None, "silence: it raised ValueError: 'words' is null; allowed: a list"),
        ([{"text": "x"}], "silence: it raised ValueError: 'words[0].start_time' is missing"),
    ],
)
def test_wrong_words_of_the_gate_are_problems(
    check: Check, own: Path, words: object, says: str
) -> None:
    path = own / "gate.json"
    model = {"type": "own:WordsInGate", "options": {"words": words}}
    path.write_text(json.dumps({"model": model}))
    outcome = check(path)
    assert outcome.code == 1
    assert says in outcome.err


def test_a_second_model_with_a_wrong_result_cannot_be_loaded(check: Check, own: Path) -> None:
    for name in ("large", "small"):
        (own / name).mkdir()
    model = {"type": "own:Second", "path": "large", "interim_model": "small"}
    (own / "pair.json").write_text(json.dumps({"model": model}))
    outcome = check(own / "pair.json")
    assert outcome.code == 1
    assert "own.py:" in outcome.err
    assert "in infer" in outcome.err


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("terms", "every sound: with key terms: it raised ValueError: no such terms ("),
        ("interim", "noise; speech; speech, short; speech, long: as an interim: it raised "),
    ],
)
def test_requests_of_some_clients_are_tried(check: Check, own: Path, fails: str, says: str) -> None:
    """As interims also those of a second model, which makes nothing else."""
    path = own / "particular.json"
    model: dict[str, object] = {"type": "own:Particular", "options": {"fails": fails}}
    path.write_text(json.dumps({"model": model}))
    outcome = check(path)
    assert outcome.code == 1
    assert says in outcome.err
    for name in ("large", "small"):
        (own / name).mkdir()
    path.write_text(json.dumps({"model": {**model, "path": "large", "interim_model": "small"}}))
    outcome = check(path)
    assert (says in outcome.err) is (fails == "interim")


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        ("", 0, "nothing is wrong with it"),
        ("changes", 1, "noise: the output with its own draft is another one; a draft may only sa"),
        ("raises", 1, "every sound: with another draft: it raised ValueError: no such draft ("),
        ("random", 0, "the same audio gives different outputs"),
        ("never", 0, "uses_drafts is true, and no output has a draft"),
        ("off", 0, "it uses no drafts: on this machine, results would depend on them"),
    ],
)
def test_drafts_are_tried(check: Check, own: Path, fault: str, code: int, says: str) -> None:
    path = own / "drafting.json"
    model = {"type": "own:Drafting", "options": {"fault": fault}}
    path.write_text(json.dumps({"model": model}))
    outcome = check(path)
    assert outcome.code == code
    assert says in outcome.out + outcome.err


def test_words_that_may_not_be_intended_are_notes(check: Check, own: Path) -> None:
    outcome = timed(check, own)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith("nothing is wrong with it\n")
    assert "are not the 'text'" in timed(check, own, said="no").out
    assert "no output has words" in timed(check, own, words=False).out


def test_the_example_with_words(check: Check) -> None:
    outcome = check(EXAMPLES / "counting/config.json")
    assert (outcome.code, outcome.err) == (0, "")

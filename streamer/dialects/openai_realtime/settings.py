"""The settings of a session, which clients change in part. Pure.

https://platform.openai.com/docs/api-reference/realtime-client-events/session/update. A field that
is absent keeps its value; null is a value. `turn_detection: null` means that the client commits.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streamer.audio.format import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from streamer.config.explain import ALLOWED, explain, fields_of, show
from streamer.config.key_terms import MAX_KEY_TERMS
from streamer.config.numbers import with_whole_numbers
from streamer.config.segmentation import VadConfig
from streamer.dialects.openai_realtime.beta import FORMAT_NAME, FORMATS, beta_name, in_new_words
from streamer.dialects.openai_realtime.messages import refused
from streamer.http.languages import is_automatic, language_of

TRANSCRIPTION = "transcription"
"""The type of a session that this server has."""

LOGPROBS = "item.input_audio_transcription.logprobs"
"""Of `include`: `completed` then has log probabilities."""

MAX_NAME_CHARACTERS = 256
"""Characters of a model, of a language, and of other names."""
MAX_PROMPT_CHARACTERS = 4_096
"""Characters. Its words are looked at one by one, on the thread that all sessions share."""
MAX_LANGUAGES = 100
MAX_INCLUDED = 20
"""Names in `include`, of which one has an effect here."""

Name = Annotated[str, Meta(max_length=MAX_NAME_CHARACTERS)]
Prompt = Annotated[str, Meta(max_length=MAX_PROMPT_CHARACTERS)]
Keywords = Annotated[list[str], Meta(max_length=MAX_KEY_TERMS)]
Languages = Annotated[list[Name], Meta(max_length=MAX_LANGUAGES)]
Included = Annotated[list[Name], Meta(max_length=MAX_INCLUDED)]

Finite = Annotated[
    float,
    Meta(ge=-sys.float_info.max, le=sys.float_info.max, extra={ALLOWED: "a number"}),
]
"""Numbers may come as text, and "nan" and "inf" are text that Python takes for a number."""


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the objects within the settings. UNSET = not given, here and in answers."""


class Format(_Part, frozen=True):
    """How the audio is encoded; 16 bits, little-endian, mono if it is PCM, 8 kHz if it is G.711."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] | UnsetType = UNSET
    rate: int | UnsetType | None = UNSET


class Transcription(_Part, frozen=True):
    """What transcribes, and what it is told. `delay` has no effect."""

    model: Name | UnsetType | None = UNSET
    language: Name | UnsetType | None = UNSET
    languages: Languages | UnsetType | None = UNSET
    prompt: Prompt | UnsetType | None = UNSET
    keywords: Keywords | UnsetType | None = UNSET
    delay: Name | UnsetType | None = UNSET


class NoiseReduction(_Part, frozen=True):
    """Without effect."""

    type: Name | UnsetType | None = UNSET
    strength: Finite | UnsetType | None = UNSET


class TurnDetection(_Part, frozen=True):
    """What ends an item. The last three have no effect."""

    type: Literal["server_vad", "semantic_vad"] | UnsetType = UNSET
    threshold: Finite | UnsetType | None = UNSET
    prefix_padding_ms: int | UnsetType | None = UNSET
    silence_duration_ms: int | UnsetType | None = UNSET
    eagerness: Literal["low", "medium", "high", "auto"] | UnsetType | None = UNSET
    idle_timeout_ms: int | UnsetType | None = UNSET
    create_response: bool | UnsetType | None = UNSET
    interrupt_response: bool | UnsetType | None = UNSET


SEMANTIC_VAD = TurnDetection(type="semantic_vad", eagerness="auto")
"""OpenAI's default."""

PCM = Format(type="audio/pcm", rate=24_000)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of a session, in the words of the API after its beta."""

    format: Format = PCM
    transcription: Transcription | None = None
    noise_reduction: NoiseReduction | None = None
    turn_detection: TurnDetection | None
    include: list[str] | None = None

    @property
    def manual(self) -> bool:
        """Whether the client commits its audio."""
        return self.turn_detection is None


class _Input(msgspec.Struct, frozen=True):
    format: Format | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class _Audio(msgspec.Struct, frozen=True):
    input: _Input | None = None


class _Update(msgspec.Struct, frozen=True):
    """The `session` of an update."""

    type: str | None = None
    audio: _Audio | None = None
    include: Included | UnsetType | None = UNSET


class Updated(msgspec.Struct, frozen=True):
    """What an update comes to.

    Attributes:
        settings: All of them.
        ignored: Names in the update that mean nothing here.
    """

    settings: Settings
    ignored: list[str]


def server_vad(configured: VadConfig) -> TurnDetection:
    """The default, as the server is configured."""
    return TurnDetection(
        type="server_vad",
        threshold=configured.threshold,
        prefix_padding_ms=configured.prefix_padding_ms,
        silence_duration_ms=configured.min_silence_ms,
    )


PartT = TypeVar("PartT", bound=_Part)


def update(
    settings: Settings, session: Mapping[str, Any], vad: VadConfig, event_id: object = None
) -> Updated:
    """Change what is given.

    Args:
        settings: Those so far.
        session: Of the message, in the words of the API or of its beta.
        vad: As configured.
        event_id: Of the message.

    Raises:
        Refused: A value has the wrong type, the encoding is not supported, or the session is not
            one that transcribes.
    """
    tree = in_new_words(session)
    try:
        given = msgspec.convert(with_whole_numbers(tree, _Update), _Update, strict=False)
    except msgspec.ValidationError as error:
        problem = explain(error, tree, _Update)
        name = beta_name(problem.field, session)
        text = problem.message.replace(f"'{problem.field}'", f"'session.{name}'", 1)
        if name == FORMAT_NAME:
            text = f"'session.{name}' is {show(session[name])}; allowed: {', '.join(FORMATS)}"
        raise refused("invalid_value", text, f"session.{name}", event_id) from None
    if given.type not in (None, TRANSCRIPTION):
        text = f"'session.type' is {show(given.type)}; allowed: {TRANSCRIPTION}"
        raise refused("invalid_value", text, "session.type", event_id)
    changed = _with_input(settings, (given.audio and given.audio.input) or _Input(), vad)
    if given.include is not UNSET:
        changed = msgspec.structs.replace(changed, include=given.include)
    rate = changed.format.rate
    if isinstance(rate, int) and not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        param = "session.audio.input.format.rate"
        text = f"'{param}' is {rate}; allowed: {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE}"
        raise refused("invalid_value", text, param, event_id)
    return Updated(changed, [*_ignored(tree, "")])


def check_language(settings: Settings, spoken: tuple[str, ...], event_id: object = None) -> None:
    """One of the languages that are given has to be spoken.

    Args:
        settings: Of the session.
        spoken: Codes of the model's languages; empty = they are not known.
        event_id: Of the message.

    Raises:
        Refused: None is.
    """
    chosen = settings.transcription
    if chosen is None or not spoken:
        return
    for field, given in (("language", chosen.language), ("languages", chosen.languages)):
        names = [given] if isinstance(given, str) else given or []
        named = [name for name in names if name]
        if named and not any(_is_spoken(name, spoken) for name in named):
            param = f"session.audio.input.transcription.{field}"
            allowed = ", ".join(spoken)
            text = f"'{param}' is {show(', '.join(named))}; allowed with this model: {allowed}"
            raise refused("unsupported_language", text, param, event_id)


def _is_spoken(name: str, spoken: tuple[str, ...]) -> bool:
    language = language_of(name)
    return is_automatic(name) or (language is not None and language.code in spoken)


def _with_input(settings: Settings, given: _Input, vad: VadConfig) -> Settings:
    """The settings with the given parts, and of each part the given fields."""
    changes: dict[str, object] = {}
    if given.format is not UNSET:
        changes["format"] = _format(_merged(settings.format, given.format, PCM) or PCM)
    if given.transcription is not UNSET:
        before = settings.transcription
        changes["transcription"] = _merged(before, given.transcription, Transcription())
    if given.noise_reduction is not UNSET:
        reduced = settings.noise_reduction
        changes["noise_reduction"] = _merged(reduced, given.noise_reduction, NoiseReduction())
    if given.turn_detection is not UNSET:
        detected = given.turn_detection
        semantic = detected is not None and detected.type == "semantic_vad"
        default = SEMANTIC_VAD if semantic else server_vad(vad)
        changes["turn_detection"] = _merged(settings.turn_detection, detected, default)
    return msgspec.structs.replace(settings, **changes)


def _format(merged: Format) -> Format:
    """With the rate of its encoding, where the client has none."""
    if merged.type != "audio/pcm":
        return Format(type=merged.type)
    return merged if isinstance(merged.rate, int) else msgspec.structs.replace(merged, rate=24_000)


def _merged(before: PartT | None, given: PartT | UnsetType | None, default: PartT) -> PartT | None:
    """A part with the given fields over those before, or over the default if its type is new."""
    if given is None or isinstance(given, UnsetType):
        return None
    fields = {k: v for k, v in msgspec.structs.asdict(given).items() if v is not UNSET}
    new = before is None or getattr(before, "type", None) != fields.get(
        "type", getattr(before, "type", None)
    )
    return msgspec.structs.replace(default if new or before is None else before, **fields)


def _ignored(tree: Mapping[str, Any], path: str) -> Iterator[str]:
    """The dotted names of what is not in `_Update`."""
    known = fields_of(path, _Update)
    for name, value in tree.items():
        full = f"{path}.{name}" if path else name
        if name not in known:
            yield full
        elif isinstance(value, dict):
            yield from _ignored(value, full)

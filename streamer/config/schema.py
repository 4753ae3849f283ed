"""The whole configuration: its sections, each of which has a class with all its settings.

The classes are the one place where settings and their defaults are written. `config.json`, the
environment and the command line are laid over these by `sources.py`. The structs are frozen. Error
messages quote their constraints. The tables of `docs/configuration.md` are written from all of it
(`tools/docs/settings.py`): the text below a setting is its cell there, and its links are those of
that page.
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from streamer.config.access import AccessConfig
from streamer.config.limits import LimitsConfig
from streamer.config.models import InferenceConfig, ModelConfig
from streamer.config.ports import GrpcConfig, ServerConfig, VoskConfig, WyomingConfig
from streamer.config.section import Section
from streamer.config.segmentation import InterimConfig, SimpleConfig, VadConfig
from streamer.config.telemetry import TelemetryConfig


class Config(Section, frozen=True):
    """The whole configuration. `models` takes the place of `model` where there are several."""

    server: ServerConfig = ServerConfig()
    model: ModelConfig = ModelConfig()
    models: Annotated[tuple[ModelConfig, ...], Meta(min_length=1)] | UnsetType = UNSET
    vad: VadConfig = VadConfig()
    simple: SimpleConfig = SimpleConfig()
    interim: InterimConfig = InterimConfig()
    inference: InferenceConfig = InferenceConfig()
    limits: LimitsConfig = LimitsConfig()
    access: AccessConfig = AccessConfig()
    wyoming: WyomingConfig = WyomingConfig()
    vosk: VoskConfig = VoskConfig()
    grpc: GrpcConfig = GrpcConfig()
    telemetry: TelemetryConfig = TelemetryConfig()

    def without_secrets(self) -> "Config":
        """Itself without tokens and secrets: for all that lives as long as the server."""
        access = msgspec.structs.replace(self.access, tokens=(), ticket_secrets=())
        return msgspec.structs.replace(self, access=access)

    @property
    def served(self) -> tuple[ModelConfig, ...]:
        """The models of the server, whichever way they are given."""
        return (self.model,) if isinstance(self.models, UnsetType) else self.models

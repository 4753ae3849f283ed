"""The models, and the worker processes that run them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from streamer.config.explain import ALLOWED
from streamer.config.key_terms import MAX_KEY_TERMS, KeyTerms
from streamer.config.remote import RemoteConfig
from streamer.config.section import Count, Positive, Seconds, Section


class ModelConfig(Section, frozen=True):
    """The model that processes the audio."""

    type: str = "moonshine"
    """`moonshine`, `classifier`, `frames`, `standin`, or the import path of your own class,
    `package.module:Class`."""
    path: str | None = None
    """The model's folder, relative to the configuration file, or a name that `streamer models list`
    shows. Only `moonshine` and `frames` have a default path; that of `moonshine` depends on the
    number of cores, see below. For every other type, set it if the model has a folder."""
    interim_model: str | None = None
    """A second model of the same type, given like `path`. It makes the interims; the first model
    makes everything else. Each worker loads both."""
    name: str | None = None
    """The name that clients use. null = the `name` in `model.json`, else the name of the folder,
    else that of the class."""
    options: dict[str, object] = msgspec.field(default_factory=dict)
    """Keyword arguments of the constructors of both models."""
    workers: Count = 0
    """Worker processes of this model; 0 = a share of `inference.workers`."""
    keyterms: Annotated[
        KeyTerms,
        Meta(
            extra={
                ALLOWED: f"a list in JSON of at most {MAX_KEY_TERMS}, "
                """such as '["Oslo", "Acme"]'"""
            }
        ),
    ] = ()
    """Up to 100 [key terms](protocol.md#key-terms) for all clients, such as `["Jean Valjean",
    "Kubernetes"]`. The key terms of a client are added. If the model does not use key terms, the
    log has a warning."""
    remote: RemoteConfig | None = None
    """Workers of this model on other machines, beside those here: [`remote` of a
    model](#remote-of-a-model)."""


class InferenceConfig(Section, frozen=True):
    """The pool of worker processes."""

    workers: Count = 0
    """Worker processes, of all models together; 0 = one for each core."""
    timeout_seconds: Seconds = 30.0
    """A segment that takes longer fails; its worker is killed and replaced."""
    load_timeout_seconds: Seconds = 120.0
    """If loading a model takes longer, it has failed."""
    max_jobs_per_worker: Count = 0
    """A worker is replaced after this number of jobs; 0 = never."""
    max_pending_segments: Positive = 8
    """While this number of results is pending on a channel, the stream's audio waits."""
    early_finals: bool = True
    """true = an idle worker starts a segment during the pause that may end it; see [early
    finals](inference.md#early-finals)."""

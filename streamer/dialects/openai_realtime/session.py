"""One session: its settings, and how they are shown to a client of the API or of its beta."""

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from streamer.dialects.openai_realtime import server_events
from streamer.dialects.openai_realtime.beta import in_beta_words
from streamer.dialects.openai_realtime.client_secret import settings_in
from streamer.dialects.openai_realtime.messages import (
    Refused,
    SessionUpdate,
    TranscriptionSessionUpdate,
)
from streamer.dialects.openai_realtime.replies import ModeChanged, SessionChanged
from streamer.dialects.openai_realtime.server_events import ServerEvent
from streamer.dialects.openai_realtime.settings import (
    TRANSCRIPTION,
    Settings,
    Transcription,
    check_language,
    server_vad,
    update,
)
from streamer.dialects.openai_realtime.start import model_of, start_of
from streamer.http.openai_models import served_name
from streamer.protocol.requests import Configure, Start, VadOptions
from streamer.services import Services
from streamer.session.dialect import UpgradeRequest

BETA_SUBPROTOCOL = "openai-beta.realtime-v1"
"""Offered by browsers in the place of the header `OpenAI-Beta: realtime=v1`."""


class Session:
    """The settings of one socket.

    Args:
        services: What all sessions share.
        session_id: Random characters.
        now_s: Seconds since 1970.

    Attributes:
        settings: In force for the audio that is read next.
        start: What they ask of the pipeline.
    """

    def __init__(self, services: Services, session_id: str, now_s: float) -> None:
        self._services = services
        self._vad = services.config.vad
        self._id = f"sess_{session_id}"
        longest_s = services.config.limits.max_session_seconds
        self._expires_at = int(now_s + longest_s) if longest_s else None
        self._beta = False
        """Whether the client speaks the beta's words."""
        self._transcribes = True
        """Whether the client has asked for nothing but transcription, with `intent`."""
        self.settings = Settings(turn_detection=server_vad(self._vad))
        self.start = start_of(self.settings, services.pools.names, self._vad)

    def _set(self, settings: Settings) -> None:
        # A prompt takes long to read, so it is not read again for each small update.
        same = settings.transcription == self.settings.transcription
        known = self.start.keyterms if same else None
        self.settings = settings
        self.start = start_of(settings, self._services.pools.names, self._vad, known)

    @property
    def mode(self) -> ModeChanged:
        """What of the settings concerns items."""
        prefix_ms = self.start.vad.over(self._vad).prefix_padding_ms
        return ModeChanged(self.settings.manual, prefix_ms, self.start.words)

    @property
    def configure(self) -> Configure:
        """The same as `start`, for an open stream, in which what is absent would be unchanged."""
        names, start = self._services.pools.names, self.start
        in_force = start.vad.over(self._vad)
        return Configure(
            interim_results=start.interim_results,
            vad=VadOptions(
                threshold=in_force.threshold,
                min_silence_ms=in_force.min_silence_ms,
                prefix_padding_ms=in_force.prefix_padding_ms,
            ),
            model=start.model or names[0],
            words=start.words,
            keyterms=start.keyterms,
        )

    def fits_stream_of(self, before: Start) -> bool:
        """Whether a stream with other settings can go on with these.

        It cannot in another encoding, nor with a model that takes audio of another rate, or whose
        rate is not known yet.
        """
        start, pools = self.start, self._services.pools
        if start.format != before.format:
            return False
        if start.model == before.model:
            return True
        rate = pools[start.model].sample_rate
        return rate is not None and rate == pools[before.model].sample_rate

    def open(self, request: UpgradeRequest) -> None:
        """Read the query and the headers."""
        query = dict(request.query)
        self._beta = (
            "realtime=v1" in request.headers.get("openai-beta", "")
            or BETA_SUBPROTOCOL in request.subprotocols
        )
        self._transcribes = query.get("intent") == TRANSCRIPTION
        model, names = query.get("model"), self._services.pools.names
        if model in names or (model and served_name(model, names) is None):
            transcription = Transcription(model=model)
            self._set(msgspec.structs.replace(self.settings, transcription=transcription))

    def use_secret(self, secret: str) -> None:
        """Begin with the settings that a client secret has."""
        session = settings_in(secret)
        if session is not None:
            with contextlib.suppress(Refused):  # a client's invention
                self.update(SessionUpdate(session=session))

    def update(self, message: SessionUpdate | TranscriptionSessionUpdate) -> Sequence[str]:
        """Change the settings; returns the names that mean nothing here.

        Raises:
            Refused: A value cannot be used; nothing is changed.
        """
        updated = update(self.settings, message.session, self._vad, message.event_id)
        pool = self._services.pools[model_of(updated.settings, self._services.pools.names)]
        check_language(updated.settings, pool.languages, message.event_id)
        self._set(updated.settings)
        return updated.ignored

    def created(self) -> ServerEvent:
        """The first message to the client."""
        beta = self._beta and self._transcribes
        kind = "transcription_session.created" if beta else "session.created"
        return server_events.session(kind, self.shown(beta=self._beta))

    def changed(self, message: SessionUpdate | TranscriptionSessionUpdate) -> SessionChanged:
        """The answer to an update."""
        named_by_beta = isinstance(message, TranscriptionSessionUpdate)
        kind = "transcription_session.updated" if named_by_beta else "session.updated"
        content = partial(self._shown, self.settings, beta=self._beta or named_by_beta)
        return SessionChanged(kind, content, self.mode)

    def in_its_words(self, event: ServerEvent) -> Iterator[ServerEvent]:
        """An event as the client knows it: the beta had one event for an item that is there."""
        kind = event["type"]
        if not self._beta or kind not in ("conversation.item.added", "conversation.item.done"):
            yield event
        elif kind == "conversation.item.added":
            yield {**event, "type": "conversation.item.created"}

    def shown(self, *, beta: bool) -> dict[str, Any]:
        """The settings, in the words of the API or of its beta."""
        return self._shown(self.settings, beta=beta)

    def _shown(self, settings: Settings, *, beta: bool) -> dict[str, Any]:
        tree = msgspec.to_builtins(settings)
        include = tree.pop("include")
        head = {
            "id": self._id,
            "object": "realtime.transcription_session",
            "expires_at": self._expires_at,
            "include": include,
        }
        if beta:
            return {**head, "modalities": ["text"], **in_beta_words(tree)}
        return {**head, "type": TRANSCRIPTION, "audio": {"input": tree}}

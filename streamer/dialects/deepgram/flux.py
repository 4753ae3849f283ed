"""Flux, Deepgram's live protocol for turns: `WS /v2/listen`, settings in the query.

https://developers.deepgram.com/reference/speech-to-text/listen-flux
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from streamer.audio.format import AudioFormat
from streamer.config.dialect_names import DialectName
from streamer.config.explain import explain
from streamer.config.numbers import with_whole_numbers
from streamer.dialects.deepgram.flux_events import (
    AnyEvent,
    ConfigureDone,
    FluxEvents,
    NewThresholds,
)
from streamer.dialects.deepgram.flux_messages import Thresholds, encode
from streamer.dialects.deepgram.listen import ListenDialect, key_terms_of
from streamer.http.deepgram_query import ListenQuery, served_models
from streamer.protocol.actions import Outgoing, Reply
from streamer.protocol.inputs import (
    ConfigureRequested,
    DisconnectRequested,
    FlushRequested,
    Input,
    KeepAliveReceived,
    ReplyRequested,
)
from streamer.protocol.requests import Configure, Start, VadOptions
from streamer.services import Services
from streamer.session.dialect import Opening, UpgradeRefused, UpgradeRequest

Threshold = Annotated[float, Meta(ge=0, le=1)]
TimeoutMs = Annotated[int, Meta(ge=500, le=10_000)]


class GivenThresholds(msgspec.Struct, frozen=True):
    """Thresholds in a `Configure` or a query; what is absent stays as it is."""

    eager_eot_threshold: Threshold | None = None
    eot_threshold: Threshold | None = None
    eot_timeout_ms: TimeoutMs | None = None

    def over(self, others: Thresholds) -> Thresholds:
        """Other thresholds with these laid over them."""
        given = {k: v for k, v in msgspec.structs.asdict(self).items() if v is not None}
        return msgspec.structs.replace(others, **given)


def _thresholds(tree: object, *, strict: bool = True) -> GivenThresholds:
    """Read them; raises msgspec.ValidationError. Not strict: the values are text."""
    whole = with_whole_numbers(tree, GivenThresholds)
    return msgspec.convert(whole, GivenThresholds, strict=strict)


class FluxDialect(ListenDialect):
    """One socket; arguments as for `ListenDialect`."""

    name: DialectName = "flux"

    def open(self, request: UpgradeRequest) -> Opening:
        """Read the query; the stream begins at once if it says what the audio is."""
        given = {name: value for name, value in request.query if value.strip()}
        tree = {name: given[name] for name in GivenThresholds.__struct_fields__ if name in given}
        try:
            read = _thresholds(tree, strict=False)
        except msgspec.ValidationError as error:
            message = explain(error, tree, GivenThresholds).message
            raise UpgradeRefused(400, "bad_request", message) from None
        self._thresholds = thresholds = read.over(Thresholds())
        self._eager = thresholds.eager_eot_threshold is not None
        opening = super().open(request)
        if self._query.true("multichannel"):
            text = "'multichannel' is true; allowed: false, as there is one turn at a time"
            raise UpgradeRefused(400, "bad_request", text)
        return opening

    def _opened(self, query: ListenQuery, session_id: str) -> None:
        self._events = FluxEvents(self._thresholds, query.key_terms, session_id)

    def _start(self, query: ListenQuery, audio: AudioFormat) -> Start:
        return Start(
            format=audio,
            interim_results=True,
            vad=self._vad_options(self._thresholds),
            model=query.model.name,
            words=True,
            keyterms=self._key_terms,
            eager=self._eager,
        )

    def _vad_options(self, thresholds: Thresholds) -> VadOptions:
        """Silence ends a turn, at the latest after `eot_timeout_ms`."""
        if thresholds.eot_timeout_ms is None:
            return VadOptions()
        return VadOptions(min_silence_ms=min(self._vad.min_silence_ms, thresholds.eot_timeout_ms))

    def _control(self, kind: str, message: Mapping[str, Any]) -> Iterator[Input]:
        match kind:
            case "KeepAlive":
                yield KeepAliveReceived()
            case "ForceEndTurn":
                yield from self._settle(over=False)
                if self._begun:
                    yield FlushRequested()
            case "CloseStream":
                yield from self._settle(over=True)
                yield DisconnectRequested()
            case "Configure":
                yield from self._configure(message)

    def _messages(self, item: Outgoing) -> Iterator[str]:
        event = item.content if isinstance(item, Reply) else item
        assert isinstance(event, AnyEvent)  # `read` asks for no other replies
        for message in self._events.messages(event):
            yield encode(message)

    def _configure(self, message: Mapping[str, Any]) -> Iterator[Input]:
        """The new settings; they get to `_events` in the order of all that is written."""
        try:
            terms = key_terms_of(message)
            asked = message.get("thresholds")
            given = _thresholds({} if asked is None else asked)
        except (ValueError, msgspec.ValidationError) as error:
            yield ReplyRequested(ConfigureDone(str(error)))
            return
        self._thresholds = thresholds = given.over(self._thresholds)
        vad = self._vad_options(thresholds) if given.eot_timeout_ms is not None else None
        newly_eager = given.eager_eot_threshold is not None and not self._eager
        self._eager |= newly_eager
        if self._begun and (terms is not None or vad is not None or newly_eager):
            yield ReplyRequested(NewThresholds(thresholds))
            changes = Configure(keyterms=terms, vad=vad, eager=newly_eager or None)
            yield ConfigureRequested(changes)
            return
        self._key_terms = self._key_terms if terms is None else terms
        yield ReplyRequested(ConfigureDone("", thresholds, terms))


def flux_dialect(services: Services) -> FluxDialect:
    """The dialect of a new socket."""
    config = services.config
    models = served_models(services.pools)
    return FluxDialect(models, config.limits.max_channels, config.vad)

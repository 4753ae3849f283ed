"""The events that list the settings in force."""

from streamer.config.segmentation import VadConfig
from streamer.pipeline.context import StreamContext
from streamer.pipeline.segment_requests import no_eager_interims, segment_request
from streamer.protocol.events import PROTOCOL_VERSION, Configured, Started, VadInForce
from streamer.protocol.requests import Start


def started(start: Start, context: StreamContext) -> Started:
    """The event that answers a `start`.

    Args:
        start: The client's request.
        context: Of the stream.
    """
    speech = context.segmentation == "speech"
    return Started(
        session_id=context.session_id,
        trace_id=context.trace.trace_id,
        model=context.pool.spec.name,
        sample_rate=context.sample_rate,
        interim_results=start.interim_results and speech,
        words=segment_request(start, context.pool).words if start.words else None,
        eager=no_eager_interims(context) is None if start.eager else None,
        vad=_in_force(start.vad.over(context.config.vad)) if speech else None,
        max_message_bytes=context.config.limits.max_message_bytes,
        protocol=PROTOCOL_VERSION,
    )


def configured(start: Start, context: StreamContext, time: float) -> Configured:
    """The event that answers a change of the settings.

    Args:
        start: The settings from now on.
        context: Of the stream, with the model from now on.
        time: From which they are in force, in seconds from the start of the stream.
    """
    now = started(start, context)
    return Configured(
        time=time,
        model=now.model,
        interim_results=now.interim_results,
        vad=now.vad,
        keyterms=start.keyterms if context.pool.uses_key_terms else (),
        words=now.words,
        eager=now.eager,
    )


def _in_force(vad: VadConfig) -> VadInForce:
    return VadInForce(**{name: getattr(vad, name) for name in VadInForce.__struct_fields__})

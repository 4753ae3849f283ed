"""What a client requests beside the model's usual output, and what of it the model cannot do."""

from dataclasses import replace

from streamer.inference.pool import WorkerPool
from streamer.model import SegmentRequest
from streamer.pipeline.context import StreamContext
from streamer.pipeline.pending import ResultSettings
from streamer.protocol.events import WarningEvent
from streamer.protocol.requests import Start


def segment_request(start: Start, pool: WorkerPool) -> SegmentRequest:
    """What of the client's request is in force.

    Args:
        start: The client's request.
        pool: Workers of the chosen model; warm.
    """
    key_terms = tuple(dict.fromkeys((*pool.spec.key_terms, *start.keyterms)))
    return SegmentRequest(
        words=start.words and pool.returns_words,
        key_terms=key_terms if pool.uses_key_terms else (),
    )


def result_settings(start: Start, pool: WorkerPool) -> ResultSettings:
    """What segments are inferred with; arguments as for `segment_request`."""
    return ResultSettings(
        pool,
        segment_request(start, pool),
        interims_in_pauses=start.interim_results or start.eager,
        eager=start.eager,
    )


def no_eager_interims(context: StreamContext) -> str | None:
    """Why a stream with these settings has no eager interims; None when it may have some."""
    if context.segmentation != "speech":
        return "no speech is detected here, and so no pause"
    if context.pool.stateful:
        return f"the model {context.pool.spec.name} has a state, and so no inferences in pauses"
    if not context.config.inference.early_finals:
        return "the setting 'inference.early_finals' of the server is off"
    return None


def final_request(request: SegmentRequest, speech_start_s: float) -> SegmentRequest:
    """The same of a whole segment, whose speech starts so many seconds into its audio."""
    return replace(request, speech_start_s=max(0.0, speech_start_s))


def interim_request(speech_start_s: float) -> SegmentRequest:
    """What is in force of a segment that still grows.

    Its words would move, and key terms cost too much for text that changes: both are for finals.
    """
    return SegmentRequest(interim=True, speech_start_s=max(0.0, speech_start_s))


def unmet(start: Start, context: StreamContext) -> list[WarningEvent]:
    """A warning for each thing that is not in force.

    Args:
        start: The client's request.
        context: Of the stream; its model is warm.
    """
    pool, warnings = context.pool, []
    if start.words and not pool.returns_words:
        text = f"the model {pool.spec.name} gives no times of words: 'words' has no effect"
        warnings.append(WarningEvent(code="no_words", message=text))
    if start.keyterms and not pool.uses_key_terms:
        text = f"the model {pool.spec.name} makes no use of key terms: 'keyterms' has no effect"
        warnings.append(WarningEvent(code="no_keyterms", message=text))
    if start.eager and (reason := no_eager_interims(context)):
        text = f"{reason}: 'eager' has no effect"
        warnings.append(WarningEvent(code="no_eager", message=text))
    return warnings

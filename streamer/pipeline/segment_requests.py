"""What a client requests beside the model's usual output, and what of it the model cannot do."""

from dataclasses import replace

from streamer.inference.pool import WorkerPool
from streamer.model import SegmentRequest
from streamer.protocol.messages import Start, WarningEvent


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


def final_request(request: SegmentRequest, speech_start_s: float) -> SegmentRequest:
    """The same of a whole segment, whose speech starts so many seconds into its audio."""
    return replace(request, speech_start_s=max(0.0, speech_start_s))


def interim_request(speech_start_s: float) -> SegmentRequest:
    """What is in force of a segment that still grows.

    Its words would move, and key terms cost too much for text that changes: both are for finals.
    """
    return SegmentRequest(interim=True, speech_start_s=max(0.0, speech_start_s))


def unmet(start: Start, pool: WorkerPool) -> list[WarningEvent]:
    """A warning for each thing that is not in force; arguments as for `segment_request`."""
    warnings = []
    if start.words and not pool.returns_words:
        text = f"the model {pool.spec.name} gives no times of words: 'words' has no effect"
        warnings.append(WarningEvent(code="no_words", message=text))
    if start.keyterms and not pool.uses_key_terms:
        text = f"the model {pool.spec.name} makes no use of key terms: 'keyterms' has no effect"
        warnings.append(WarningEvent(code="no_keyterms", message=text))
    return warnings

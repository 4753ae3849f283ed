"""Whether another model may take over within a stream: only one that takes audio of its rate."""

from streamer.config.explain import show


def rate_problem(model: str | None, model_rate: int, stream_rate: int) -> str | None:
    """What is wrong with another model for an open stream; None when nothing is.

    Args:
        model: As the client names it.
        model_rate: In Hz, of this model.
        stream_rate: In Hz, of the model with which the stream began.
    """
    if model_rate == stream_rate:
        return None
    return (
        f"'model' is {show(model)}, which takes audio at {model_rate} Hz; allowed: "
        f"a model for {stream_rate} Hz, as that of the 'start'"
    )

"""Checks of the settings that a client asks for, beyond what the schema of messages expresses."""

from streamer.config.explain import show
from streamer.protocol.requests import BadRequest, Start
from streamer.services import Services
from streamer.session.model_rates import rate_problem


def check_start(start: Start, services: Services) -> None:
    """Check what the schema alone cannot express.

    Raises:
        BadRequest: The audio format is impossible, there is no such model, or the VAD settings
            contradict each other.
    """
    if problem := start.format.problem(services.config.limits.max_channels):
        raise BadRequest("bad_format", problem)
    models = services.pools.names
    if start.model is not None and start.model not in models:
        allowed = ", ".join(models)
        raise BadRequest("bad_message", f"'model' is {show(start.model)}; allowed: {allowed}")
    if problem := start.vad.over(services.config.vad).problem():
        raise BadRequest("bad_message", f"'vad': {problem}")


def check_model(model: str | None, before: str | None, services: Services) -> None:
    """Check that a model may take over within a stream.

    Args:
        model: To be used from now on.
        before: Used so far.
        services: What all sessions share.

    Raises:
        BadRequest: It takes audio of another rate.
    """
    pools = services.pools
    if model == before or model not in pools.names:
        return
    model_rate, stream_rate = pools[model].sample_rate, pools[before].sample_rate
    if model_rate is None or stream_rate is None:  # still loading: the executor waits for them
        return
    if problem := rate_problem(model, model_rate, stream_rate):
        raise BadRequest("bad_message", problem)

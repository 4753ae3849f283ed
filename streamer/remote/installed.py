"""Whether the package of the extra is here. Does not import it."""

import importlib.util

from streamer.config.schema import Config


def problem_of(config: Config) -> str | None:
    """Why remote workers cannot be used; None = they can, or are not to be."""
    remote = any(model.remote is not None for model in config.served)
    if not remote or importlib.util.find_spec("ray") is not None:
        return None
    return (
        "'remote' of a model needs the package ray, which is missing: "
        "pip install 'streamer-server[ray]'"
    )

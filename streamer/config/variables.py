"""The names of variables: those of settings, and those that are none but look as if they were."""

from collections.abc import Iterator, Mapping

from streamer.config.explain import fields_of
from streamer.config.schema import Config
from streamer.config.secrets import SECRETS, TOKENS

ENVIRONMENT_PREFIX = "STREAMER_"
_SERVICE_SCHEMES = ("tcp://", "udp://", "sctp://")
CLIENTS_VARIABLE = "STREAMER_TOKEN"
"""The token that the client shows. Both may run in one environment, so the server may see it."""
_OWN_VARIABLES = frozenset(
    {*(secret.variable for secret in SECRETS), CLIENTS_VARIABLE, "STREAMER_MODELS"}
)


def misnamed(environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each variable that names a setting in part, or with one underscore.

    For a service that is called `streamer` or `streamer-server`, Kubernetes sets some of these
    names to its addresses, such as `tcp://10.0.0.1:8080`; those are meant for others.
    """
    for name, text in environment.items():
        if name in _OWN_VARIABLES or text.startswith(_SERVICE_SCHEMES):
            continue
        if right := _right_names().get(name):
            yield f"{name} is not a setting and has no effect; did you mean {' or '.join(right)}?"


def token_of_client(environment: Mapping[str, str]) -> str | None:
    """A line if there is a token that only the client reads; for a server that has no tokens.

    A person who sets it for the server does not mean to admit every client.
    """
    if not environment.get(CLIENTS_VARIABLE, "").strip():
        return None
    return (
        f"{CLIENTS_VARIABLE} is the client's variable; the server reads {TOKENS.variable}, "
        "and now admits everyone"
    )


def variables_of(name: str) -> list[str]:
    """The variables of the settings that a word such as `workers` or `vad-threshold` may mean."""
    return _right_names().get(f"{ENVIRONMENT_PREFIX}{name.replace('-', '_')}".upper(), [])


def _right_names() -> dict[str, list[str]]:
    """The names of the variables that may be meant, by the wrong one."""
    names: dict[str, list[str]] = {
        f"{ENVIRONMENT_PREFIX}MODEL": [
            f"{ENVIRONMENT_PREFIX}MODEL__{key}" for key in ("PATH", "TYPE")
        ]
    }
    for section in fields_of("", Config):
        if section not in ("model", "models"):  # STREAMER_MODELS is the folder of the models
            alone = f"{ENVIRONMENT_PREFIX}{section}".upper()
            names[alone] = [f"{alone}__KEY"]
        for key in fields_of(section, Config):
            right = f"{ENVIRONMENT_PREFIX}{section}__{key}".upper()
            # A key that the server has too, such as `port`, means the server's.
            of_another = section != "server" and key in fields_of("server", Config)
            for wrong in (f"{section}_{key}", *(() if of_another else (key,))):
                names.setdefault(f"{ENVIRONMENT_PREFIX}{wrong}".upper(), []).append(right)
    return names

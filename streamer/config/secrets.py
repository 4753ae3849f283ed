"""Tokens and secrets of tickets, from the three places that they may come from.

No message shows any of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from streamer.config.access import NO_HEADER, SHORT_SECRET, fits_header, is_good_secret
from streamer.config.explain import show
from streamer.config.file_problems import file_problem
from streamer.config.schema import Config


@dataclass(frozen=True)
class SecretSetting:
    """A setting of `access` that is a list of secrets.

    Attributes:
        key: Its name; `KEY_file` is a file with more of them, one a line.
        variable: Of the environment, with more of them between commas or spaces.
        one: What one of them is called.
        is_good: Whether one can be used.
        problem: What follows the name of the place of one that cannot.
    """

    key: str
    variable: str
    one: str
    is_good: Callable[[str], bool]
    problem: str


TOKENS = SecretSetting("tokens", "STREAMER_TOKENS", "token", fits_header, NO_HEADER)
TICKET_SECRETS = SecretSetting(
    "ticket_secrets", "STREAMER_TICKET_SECRETS", "secret", is_good_secret, SHORT_SECRET
)
SECRETS = (TOKENS, TICKET_SECRETS)


class BadSecret(ValueError):
    """A secret that cannot be used, or a file of them.

    Attributes:
        source: The variable, or the setting with the file's name.
        of_setting: Whether it is the setting.
    """

    def __init__(self, message: str, source: str, *, of_setting: bool) -> None:
        super().__init__(message)
        self.source = source
        self.of_setting = of_setting


def with_secrets(config: Config, environment: Mapping[str, str], folder: Path) -> Config:
    """The configuration with the secrets of the environment and of files added to its own.

    Args:
        config: As read; what it holds itself has been checked.
        environment: Of the process.
        folder: Paths of files are relative to it.

    Raises:
        BadSecret: One of them, or a file, cannot be used.
    """
    found = {
        secret.key: (
            *getattr(config.access, secret.key),
            *_in_environment(secret, environment),
            *_in_file(secret, getattr(config.access, f"{secret.key}_file"), folder),
        )
        for secret in SECRETS
    }
    return msgspec.structs.replace(config, access=msgspec.structs.replace(config.access, **found))


def _in_environment(secret: SecretSetting, environment: Mapping[str, str]) -> list[str]:
    found = environment.get(secret.variable, "").replace(",", " ").split()
    if not all(map(secret.is_good, found)):
        raise BadSecret(f"it {secret.problem}", secret.variable, of_setting=False)
    return found


def _in_file(secret: SecretSetting, name: str | None, folder: Path) -> list[str]:
    if not name:
        return []
    setting = f"access.{secret.key}_file"
    try:
        return _lines(secret, folder / name)
    except ValueError as error:
        message = f"'{setting}' is {show(name)}: {error}"
        raise BadSecret(message, setting, of_setting=True) from None


def _lines(secret: SecretSetting, path: Path) -> list[str]:
    """Those of a file, one a line; ValueError when it cannot be read, or has no usable one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise ValueError(file_problem(path, error)) from None
    found = [line.strip() for line in lines if line.strip() and line.lstrip()[0] != "#"]
    if not found:
        # A person who configures a file of tokens does not mean to admit every client.
        raise ValueError(f"there is no {secret.one} in the file")
    if not all(map(secret.is_good, found)):
        raise ValueError(f"the file {secret.problem}")
    return found

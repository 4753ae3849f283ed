"""Check a `start`, and say what is wrong with it."""

from typing import Any


class BadMessage(ValueError):
    """A message that cannot be acted on. Its text is one of the sentences below."""


def check_start(message: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a stream, with the defaults filled in.

    | field | type | default | allowed |
    |---|---|---|---|
    | `request` | text | required | `start` |
    | `sample_rate` | whole number | required | 8000 to 192000 |
    | `channels` | whole number | 1 | 1 to 8 |
    | `interim_results` | truth value | False | true or false |

    The fields are checked in the order of the table, unknown fields at last.

    Raises:
        BadMessage: with one of these sentences, about the first mistake. VALUE is written as
            JSON; ALLOWED is the last column. JSON's `true` is no whole number.

            'sample_rate' is missing; it is required
            'channels' is VALUE; allowed: ALLOWED
            unknown field 'NAME'; allowed: request, sample_rate, channels, interim_results
    """
    raise NotImplementedError

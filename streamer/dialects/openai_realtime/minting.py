"""Makes client secrets, for `streamer/http/openai_client_secrets.py`."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from streamer.dialects.openai_realtime.client_secret import PREFIX, packed
from streamer.dialects.openai_realtime.messages import Refused, SessionUpdate
from streamer.dialects.openai_realtime.session import Session
from streamer.http import refusals
from streamer.http.openai_client_secrets import Minted
from streamer.services import Services

SESSION = "session."
"""Before the names of settings, but not in the beta's request."""


def mint(services: Services, given: Mapping[str, Any], seconds: int, beta: bool) -> Minted:
    """A secret for sessions with these settings, as `Mint` has it."""
    session = Session(services, secrets.token_hex(10), time.time())
    try:
        session.update(SessionUpdate(session=dict(given)))
        settings = packed(session.settings)
    except Refused as error:
        problem = error.problem
        message, param = problem.message, problem.param
        if beta and param is not None:
            message, param = message.replace(SESSION, "", 1), param.removeprefix(SESSION)
        raise refusals.Refused(400, "bad_request", message, field=param) from None
    ticket = services.access.issue_ticket(PREFIX, seconds, single_use=False)
    return Minted(f"{ticket}.{settings}", session.shown(beta=beta))

"""Health, readiness, information, and tickets: short answers for people and orchestrators."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import streamer
from streamer.access.credentials import shown_in_header
from streamer.access.error_responses import served_path, unauthorized
from streamer.access.refusal_log import why_unauthorized
from streamer.access.tokens import TICKET_SECONDS, Access, AuthState
from streamer.inference.crew import Crew
from streamer.inference.pool import WorkerPool
from streamer.protocol.events import PROTOCOL_VERSION
from streamer.services import Services
from streamer.weights.sample import sample_recording


async def health(request: Request) -> Response:
    """Liveness: the event loop answers."""
    return JSONResponse({"status": "healthy"})


async def ready(request: Request) -> Response:
    """Readiness: 200 once every model's workers are warm; 503 before, or when the server ends."""
    pools = _services(request).pools
    workers = pools.workers_alive
    if request.app.state.registry.draining:
        body = {"status": "draining", "reason": "the server is ending", "workers": workers}
        return JSONResponse(body, 503, headers={"Retry-After": "1"})
    if pools.ready:
        return JSONResponse({"status": "ready", "workers": workers})
    body = {"status": "not ready", "reason": pools.why_not_ready, "workers": workers}
    return JSONResponse(body, 503, headers={"Retry-After": "1"})


async def info(request: Request) -> Response:
    """Versions, the models, the limits, and the defaults that a `start` can override."""
    services = _services(request)
    config = services.config
    models = [_model(pool) for pool in services.pools]
    return JSONResponse(
        {
            "version": streamer.__version__,
            "protocol": PROTOCOL_VERSION,
            "model": models[0]["name"],
            "models": models,
            "sample_rate": models[0]["sample_rate"],
            "inference": models[0]["inference"],
            "vad": msgspec.to_builtins(config.vad),
            "simple": msgspec.to_builtins(config.simple),
            "interim": msgspec.to_builtins(config.interim),
            "limits": msgspec.to_builtins(config.limits),
            "dialects": request.app.state.addresses,
            "sample": "sample.wav" if sample_recording() else None,
        }
    )


async def ticket(request: Request) -> Response:
    """A single-use ticket; another ticket does not buy one."""
    access: Access = request.app.state.services.access
    token = shown_in_header(request.headers.get("authorization"))
    if not access.is_token(token or ""):
        message = why_unauthorized(AuthState.UNKNOWN if token is None else AuthState.REFUSED)
        return unauthorized(message, served_path(request.scope))
    body = {"ticket": access.issue_ticket(), "expires_in_seconds": TICKET_SECONDS}
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _model(pool: WorkerPool) -> dict[str, object]:
    return {
        "name": pool.spec.name,
        "type": pool.spec.type,
        "sample_rate": pool.sample_rate,
        "words": pool.returns_words,
        "keyterms": pool.uses_key_terms,
        "languages": pool.languages,
        "inference": {
            "workers_alive": pool.workers_alive,
            **msgspec.to_builtins(pool.counters),
        },
        **({"remote": _remote(pool.crew)} if pool.crew else {}),
    }


def _remote(crew: Crew) -> dict[str, object]:
    """The workers on other machines. No name of a machine: everyone may ask for this."""
    return {
        "workers_wanted": crew.wanted,
        "workers_alive": crew.remote_alive,
        "standing_in": crew.standing_in,
    }


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services

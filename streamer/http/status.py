"""Is it alive, is it ready, and what is it: three answers for people and orchestrators."""

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

import streamer
from streamer.messages import PROTOCOL_VERSION
from streamer.services import Services


async def health(request: Request) -> Response:
    """Liveness: the event loop answers."""
    return JSONResponse({"status": "healthy"})


async def ready(request: Request) -> Response:
    """Readiness: 200 once the workers are warm, 503 while they load or when none lives."""
    pool = _services(request).pool
    if pool.ready:
        return JSONResponse({"status": "ready", "workers": pool.workers_alive})
    body = {"status": "not ready", "reason": "the model is loading", "workers": pool.workers_alive}
    return JSONResponse(body, 503, headers={"Retry-After": "1"})


async def info(request: Request) -> Response:
    """Versions, the model, the limits, and the defaults that a `start` can override."""
    services = _services(request)
    config, spec = services.config, services.pool.spec
    return JSONResponse(
        {
            "version": streamer.__version__,
            "protocol": PROTOCOL_VERSION,
            "model": spec.name,
            "models": [{"name": spec.name, "type": spec.type}],
            "sample_rate": services.pool.sample_rate,
            "inference": {
                "workers_alive": services.pool.workers_alive,
                **msgspec.to_builtins(services.pool.counters),
            },
            "vad": msgspec.to_builtins(config.vad),
            "simple": msgspec.to_builtins(config.simple),
            "interim": msgspec.to_builtins(config.interim),
            "limits": msgspec.to_builtins(config.limits),
        }
    )


def _services(request: Request) -> Services:
    services = request.app.state.services
    assert isinstance(services, Services)
    return services

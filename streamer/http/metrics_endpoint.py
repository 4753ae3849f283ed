"""`GET /metrics`, for Prometheus."""

from collections.abc import Callable, Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.inference.pool import WorkerPool
from streamer.services import Services

Expose = Callable[[Iterable[WorkerPool], float, str | None], tuple[bytes, str]]
"""Metrics as text and its content type, from the pools, the part of the places that is taken, and
the `Accept` header."""


class MetricsEndpoint:
    """Answers with all metrics.

    Args:
        expose: Writes them; None when they are switched off.
    """

    def __init__(self, expose: Expose | None) -> None:
        self._expose = expose

    async def get(self, request: Request) -> Response:
        """Prometheus text, or OpenMetrics with exemplars, as the scraper accepts."""
        if self._expose is None:
            return JSONResponse({"error": "telemetry.metrics is off"}, 404)
        services = request.app.state.services
        assert isinstance(services, Services)
        used_ratio = request.app.state.registry.used_ratio
        accept = request.headers.get("accept")
        text, content_type = self._expose(services.pools, used_ratio, accept)
        return Response(text, headers={"Content-Type": content_type})

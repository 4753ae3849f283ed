"""`GET /metrics`, for Prometheus."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.services import Services
from streamer.telemetry.setup import Expose


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
        text, content_type = self._expose(services.pools, request.headers.get("accept"))
        return Response(text, headers={"Content-Type": content_type})

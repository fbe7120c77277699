"""What one service consists of. ``create_app`` makes it; routes and the server find it by the app."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.requests import Request

from service.inference.repository import ModelRepository
from service.middleware.admission import AdmissionControl
from service.problems import Problem
from service.settings import Settings
from service.web.image_requests import ImageReader
from service.web.response_cache import ResponseCache
from service.web.static_content import MadeOnce


@dataclass(frozen=True)
class ServiceState:
    """The parts of one service."""

    settings: Settings
    repository: ModelRepository
    cache: ResponseCache
    admission: AdmissionControl
    images: ImageReader
    document: MadeOnce
    """The OpenAPI document."""

    def check_ready(self) -> None:
        """Raise Problem 503 unless every model is loaded, all their threads run, and the service is not ending."""
        if self.admission.draining:
            raise Problem(503, "the service ends", headers={"Retry-After": "1"})
        for name, engine in self.repository.engines.items():
            if not engine.scheduler.alive:
                raise Problem(503, f"a thread of {name} has died", headers={"Retry-After": "1"})


class StatefulApp(FastAPI):
    """FastAPI that knows the service which it serves."""

    service: ServiceState


def state_of(request: Request) -> ServiceState:
    """The service that answers a request."""
    app: StatefulApp = request.scope["app"]
    return app.service

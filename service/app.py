"""The application factory."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import msgspec
from anyio import to_thread
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from service.inference.repository import ModelRepository
from service.middleware.admission import AdmissionControl, AdmissionMiddleware
from service.middleware.auth import AuthMiddleware
from service.middleware.body_limit import BodyLimitMiddleware
from service.middleware.bytes_in_hand import BytesInHand
from service.middleware.in_hand import InHandMiddleware
from service.middleware.request_context import RequestContextMiddleware
from service.observability import logs
from service.openinference import configuration, infer, metadata, statistics
from service.openinference import repository as model_repository
from service.routes import decode, edit, encode, health, interpolate, metrics, models, pages, recombine
from service.security.response_headers import CORS
from service.settings import Settings, read_settings
from service.state import ServiceState, StatefulApp
from service.threads import cores, in_thread
from service.web.error_handlers import handle_errors
from service.web.image_requests import ImageReader
from service.web.openapi import complete, operation_id
from service.web.response_cache import ResponseCache
from service.web.routing import ExactPaths
from service.web.static_content import MadeOnce, StaticContent

log = logging.getLogger("spritevae.app")
# How often a worker that isn't ready looks whether it is to go on.
POLL_SECONDS = 0.05
ROUTERS = tuple(
    module.router
    for module in (
        encode,
        decode,
        interpolate,
        edit,
        recombine,
        models,
        health,
        metrics,
        statistics,  # before metadata: /v2/models/stats is no model
        metadata,
        configuration,
        infer,
        model_repository,
        pages,
    )
)


class Service(StatefulApp):
    """FastAPI behind the service's own middleware."""

    def build_middleware_stack(self) -> ASGIApp:
        """All layers, from the innermost to the outermost."""
        settings, admission = self.service.settings, self.service.admission
        app: ASGIApp = ExactPaths(super().build_middleware_stack(), ROUTERS)
        app = BodyLimitMiddleware(app, settings.max_body_bytes)
        app = InHandMiddleware(app, admission, BytesInHand(settings.max_bytes_in_hand))
        app = AuthMiddleware(app, settings.allowed_hosts, settings.keys)
        app = self._cors(app)  # outside of authentication, as browsers send preflights without a key
        return AdmissionMiddleware(RequestContextMiddleware(app, admission), admission, self._cors)

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document without a path prefix."""
        known, document = self.openapi_schema, super().openapi()
        if document is not known:
            complete(document, needs_key=bool(self.service.settings.keys))
        return document

    def _cors(self, app: ASGIApp) -> ASGIApp:
        origins = self.service.settings.cors_origins
        return CORSMiddleware(app, allow_origins=origins, **CORS) if origins else app


def create_app(settings: Settings, on_failure: Callable[[Exception], None] | None = None) -> StatefulApp:
    """The service. It verifies its bundles here, and loads them in the background once it runs.

    One of several workers loads them before it accepts connections. Raises BundleError or ModelError for models that
    can't be served; an error that comes later goes to ``on_failure``.
    """
    repository = ModelRepository(settings)
    app = Service(
        title="spritevae",
        description="Images to named attributes, and back.",
        lifespan=partial(_lifespan, settings, repository, on_failure),
        telemetry=TelemetryConfig(
            tracing=settings.telemetry,
            metrics=settings.telemetry,
            logs=settings.telemetry,
            auto_configure=settings.telemetry,
        ),
        openapi_url=None,  # routes/pages.py serves it
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        redirect_slashes=False,  # a redirect would lead to the host name that the client sent
    )
    admission = AdmissionControl(repository, settings.max_requests, settings.root_path)
    cache, images = ResponseCache(settings.cache_bytes), ImageReader(settings)
    document = MadeOnce(lambda prefix: in_thread(_document, app, prefix))
    app.service = ServiceState(settings, repository, cache, admission, images, document)
    handle_errors(app)
    for router in ROUTERS:
        app.include_router(router)
    return app


def _document(app: FastAPI, prefix: str) -> StaticContent:
    """The OpenAPI document of a service below a path prefix. It takes a tenth of a second to be made."""
    servers = {"servers": [{"url": prefix}]} if prefix else {}
    return StaticContent(msgspec.json.encode(app.openapi() | servers), "application/json")


def from_environment() -> StatefulApp:
    """The service for another server, such as uvicorn or gunicorn: its settings are those of the environment and .env.

    Raises ValueError for wrong settings, and what ``create_app`` raises.
    """
    settings = read_settings()
    logs.configure(settings.log_level, settings.log_format)
    return create_app(settings)


@asynccontextmanager
async def _lifespan(
    settings: Settings, repository: ModelRepository, on_failure: Callable[[Exception], None] | None, app: StatefulApp
) -> AsyncIterator[None]:
    """Load the models, watch their folders, and close them at the end."""

    ended = anyio.Event()

    async def load() -> None:
        try:
            await repository.load()
        except Exception as error:
            log.error("models can't be loaded: %s", error)
            if on_failure:
                on_failure(error)
        finally:
            ended.set()

    # Each thread may take a core and much memory. With anyio's default of 40 threads, images could take gigabytes.
    to_thread.current_default_thread_limiter().total_tokens = 2 + cores()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(load)
        # One of several workers leaves connections to the others until it is ready, or is told to end.
        while settings.workers > 1 and not (ended.is_set() or app.service.admission.draining):
            await anyio.sleep(POLL_SECONDS)
        if settings.reload_seconds:
            tasks.start_soon(repository.watch)
        yield
        tasks.cancel_scope.cancel()
    app.service.images.close()
    await to_thread.run_sync(repository.close)

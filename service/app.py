"""The application factory."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread
from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from service.express import Express
from service.inference.providers import cores
from service.inference.repository import Store
from service.middleware.admission import Door, refuse_request
from service.middleware.auth import Guard
from service.middleware.request_context import BodyLimit, RequestContext
from service.openinference import infer, metadata, repository
from service.problems import Problem, handle_errors
from service.routes import decode, edit, encode, health, interpolate, metrics, models, pages
from service.security.response_headers import CORS
from service.settings import Settings
from service.web.openapi import describe_keys
from service.web.response_cache import Cache

log = logging.getLogger("spritevae.app")


class Service(FastAPI):
    """FastAPI behind our own middleware: what is answered there spares the layers that only routes need."""

    def build_middleware_stack(self) -> ASGIApp:
        """All layers, the outermost last."""
        settings: Settings = self.state.settings
        app: ASGIApp = Express(super().build_middleware_stack(), self.state.store, self.state.cache)
        app = BodyLimit(app, settings.max_body_bytes)
        app = Guard(app, settings.allowed_hosts, settings.keys)
        refuse: ASGIApp = refuse_request
        if settings.cors_origins:  # outside of Guard, as browsers ask for leave without a key
            app, refuse = (CORSMiddleware(each, allow_origins=settings.cors_origins, **CORS) for each in (app, refuse))
        self.state.door = door = Door(RequestContext(app), refuse, self.state)
        return door


def create_app(settings: Settings, on_failure: Callable[[Exception], None] | None = None) -> FastAPI:
    """The service. Its bundles are verified here, and loaded in the background once it runs.

    One of several workers loads them before it accepts connections.

    Raises BundleError or ModelError for models that can't be served; what fails later goes to ``on_failure``.
    """
    store = Store(settings)

    async def load() -> None:
        try:
            await to_thread.run_sync(store.load, abandon_on_cancel=True)
        except Exception as error:
            log.error("models can't be loaded: %s", error)
            if on_failure:
                on_failure(error)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # What is done aside takes cores and memory: forty images at once, as anyio has it, could take gigabytes.
        to_thread.current_default_thread_limiter().total_tokens = 2 + cores()
        async with anyio.create_task_group() as tasks:
            if settings.workers == 1:
                tasks.start_soon(load)
            else:  # until it is ready, it leaves connections to the others
                await load()
            if settings.reload_seconds:
                tasks.start_soon(store.follow)
            yield
            tasks.cancel_scope.cancel()
        await to_thread.run_sync(store.close)

    app = Service(
        title="spritevae",
        description="Images to named attributes, and back.",
        lifespan=lifespan,
        telemetry=TelemetryConfig(
            tracing=settings.telemetry,
            metrics=settings.telemetry,
            logs=settings.telemetry,
            auto_configure=settings.telemetry,
        ),
        dependencies=[Depends(refuse_repeated_parameters)],
        docs_url=None,  # ours, in routes/pages.py
        redoc_url=None,
        redirect_slashes=False,  # to an address made of what the client calls this host
    )
    app.state.settings = settings
    app.state.store = store
    app.state.cache = Cache(settings.cache_bytes)
    app.state.draining = False
    handle_errors(app)
    for group in (encode, decode, interpolate, edit, models, health, metrics, metadata, infer, repository, pages):
        app.include_router(group.router)
    if settings.keys:
        describe_keys(app)
    return app


async def refuse_repeated_parameters(request: Request) -> None:
    """Raise Problem 422 if a query parameter is there twice: it can't be told which one is meant."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1:
            raise Problem(422, f"query.{name[:80]}: given {times} times", where=f"query.{name[:80]}")

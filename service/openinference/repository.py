"""POST /v2/repository...: which models there are, and loading and unloading them while the service runs."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Depends, Request, Response

from service.context import current
from service.inference.repository import Store
from service.openinference.bodies import read_body
from service.openinference.interfaces import PARTS, version_of
from service.openinference.metadata import answer
from service.openinference.openapi import documented, group
from service.openinference.protocol import (
    IndexEntry,
    IndexRequest,
    RepositoryRequest,
    decode,
)
from service.problems import Problem

router = group()


async def admin(request: Request) -> None:
    """Raise Problem 403 unless the service was started with ``--admin``, and the request's API key may administer."""
    if not request.app.state.settings.admin:
        raise Problem(403, "models are loaded and unloaded only by a service that runs with --admin")
    if not current.get().admin:
        challenge = 'Bearer error="insufficient_scope", scope="admin"'
        raise Problem(403, "needs an API key of scope admin", headers={"WWW-Authenticate": challenge})


@router.post(**documented("/repository/index", list[IndexEntry], IndexRequest))
async def index(request: Request) -> Response:
    """Every model that the service was started with, and its state."""
    asked = decode(await read_body(request) or b"{}", IndexRequest)
    store: Store = request.app.state.store
    entries = [entry for name in store.names for entry in _entries(store, name)]
    return answer([entry for entry in entries if entry.state == "READY" or not asked.ready])


@router.post(**documented("/repository/models/{model}/load", None, RepositoryRequest), dependencies=[Depends(admin)])
async def load(request: Request) -> Response:
    """Read a model's bundle again, verify it, reproduce its golden vectors, and serve it from then on.

    The one before serves until then, and goes on if the bundle is refused (409, with the reason). `NAME` stands for its
    encoder and decoder too.
    """
    store: Store = request.app.state.store
    await store.load_model(await _whole(request, store))
    return Response()


@router.post(**documented("/repository/models/{model}/unload", None, RepositoryRequest), dependencies=[Depends(admin)])
async def unload(request: Request) -> Response:
    """Serve a model no longer, until it is loaded again; requests in flight are finished."""
    store: Store = request.app.state.store
    await store.unload_model(await _whole(request, store))
    return Response()


async def _whole(request: Request, store: Store) -> str:
    decode(await read_body(request) or b"{}", RepositoryRequest)
    name: str = request.path_params["model"]
    for bundle in store.names:
        if name not in store.names and any(name == bundle + part for part in PARTS):
            raise Problem(400, f"{name} is a part of {bundle}, and is loaded and unloaded with it; name {bundle}")
    return name


def _entries(store: Store, name: str) -> Iterator[IndexEntry]:
    engine = store.engines.get(name) if store.loaded else None
    for part in PARTS:
        if engine:
            yield IndexEntry(name + part, "READY", version_of(engine.model))
        elif store.loaded:
            yield IndexEntry(name + part, "UNAVAILABLE", reason="unloaded")
        else:
            yield IndexEntry(name + part, "LOADING")

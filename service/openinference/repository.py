"""POST /v2/repository...: which models there are, and loading and unloading them while the service runs."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request, Response

from service.context import current_request
from service.inference.repository import ModelRepository
from service.openinference.bodies import read_request
from service.openinference.interfaces import PARTS, VERSION
from service.openinference.openapi import protocol_router, route_docs
from service.openinference.protocol import (
    IndexEntry,
    IndexRequest,
    RepositoryRequest,
    decode,
    struct_response,
)
from service.problems import Problem
from service.state import state_of

router = protocol_router()


def require_admin(request: Request) -> None:
    """Raise Problem 403 unless the service was started with ``--admin``, and the request's API key may administer."""
    if not state_of(request).settings.admin:
        raise Problem(403, "models are loaded and unloaded only by a service that runs with --admin")
    if not current_request.get().admin:
        challenge = 'Bearer error="insufficient_scope", scope="admin"'
        raise Problem(403, "needs an API key of scope admin", headers={"WWW-Authenticate": challenge})


@router.post(**route_docs("/repository/index", list[IndexEntry], IndexRequest))
async def repository_index(request: Request) -> Response:
    """Every model that the service was started with, and its state."""
    state = state_of(request)
    given = decode(await read_request(request, state.settings.max_body_bytes) or b"{}", IndexRequest)
    entries = [entry for name in state.repository.names for entry in _entries(state.repository, name)]
    return struct_response([entry for entry in entries if entry.state == "READY" or not given.ready])


@router.post(**route_docs("/repository/models/{model}/load", None, RepositoryRequest))
async def load_model(request: Request) -> Response:
    """Read a model's bundle again, verify it, reproduce its golden vectors, and serve it from then on.

    The one before serves until then, and goes on if the bundle is refused (409, with the reason). `NAME` stands for its
    encoder and decoder too.
    """
    require_admin(request)
    repository = state_of(request).repository
    await repository.load_model(await _bundle_name(request, repository))
    return Response()


@router.post(**route_docs("/repository/models/{model}/unload", None, RepositoryRequest))
async def unload_model(request: Request) -> Response:
    """Serve a model no longer, until it is loaded again; requests in flight are finished."""
    require_admin(request)
    repository = state_of(request).repository
    await repository.unload_model(await _bundle_name(request, repository))
    return Response()


async def _bundle_name(request: Request, repository: ModelRepository) -> str:
    """The bundle that a request names; raises Problem 400 for the encoder or decoder of one."""
    decode(await read_request(request, state_of(request).settings.max_body_bytes) or b"{}", RepositoryRequest)
    name: str = request.path_params["model"]
    for bundle in repository.names:
        if name not in repository.names and any(name == bundle + part for part in PARTS):
            raise Problem(400, f"{name} is a part of {bundle}, and is loaded and unloaded with it; name {bundle}")
    return name


def _entries(repository: ModelRepository, name: str) -> Iterator[IndexEntry]:
    engine = repository.engines.get(name) if repository.loaded else None
    for part in PARTS:
        if engine:
            yield IndexEntry(name + part, "READY", VERSION)
        elif repository.loaded:
            yield IndexEntry(name + part, "UNAVAILABLE", reason="unloaded")
        else:
            yield IndexEntry(name + part, "LOADING")

"""GET /, /docs and /openapi.json: what people see. All of it comes from this service, so that it works offline."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service.state import state_of
from service.web.routing import DirectRoute
from service.web.static_content import StaticContent

router = APIRouter(include_in_schema=False, route_class=DirectRoute)
OWN = Path(__file__).parents[1] / "static"
# Swagger UI. The package is not imported: it would bring an application of its own.
SWAGGER = Path(*(find_spec("fastapi_offline").submodule_search_locations or ())) / "static"  # type: ignore[union-attr]
FILES = {
    path.name: StaticContent(path.read_bytes(), media)
    for path, media in {
        OWN / "index.html": "text/html; charset=utf-8",
        OWN / "start.js": "text/javascript; charset=utf-8",
        SWAGGER / "swagger-ui.css": "text/css; charset=utf-8",
        SWAGGER / "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    }.items()
}


@router.get("/")
async def root(request: Request) -> Response:
    """To the documentation. Without a known path prefix the address is relative, as there may be an unknown one."""
    prefix = request.scope.get("root_path")
    return RedirectResponse(f"{prefix}/docs" if prefix else "docs")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The interactive documentation."""
    return FILES["index.html"].response(request)


async def file(request: Request) -> Response:
    """A file that it needs."""
    return FILES[request.scope["path"].removeprefix("/docs/")].response(request)


for name in FILES:
    router.add_api_route(f"/docs/{name}", file, methods=["GET"])


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    content = await state_of(request).document.get(request.scope.get("root_path", ""))
    return content.response(request)

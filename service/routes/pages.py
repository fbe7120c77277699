"""GET / and /docs: what people see. All files come from this service, so that it works offline and trusts nobody."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)
# The page of this project, and Swagger UI, which the package fastapi_offline carries.
FILES = StaticFiles(directory=Path(__file__).parents[1] / "static", packages=[("fastapi_offline", "static")])


@router.get("/")
async def root(request: Request) -> Response:
    """To the documentation. Without a known path prefix the address is relative, as there may be an unknown one."""
    prefix = request.scope.get("root_path")
    return RedirectResponse(f"{prefix}/docs" if prefix else "docs")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """The interactive documentation."""
    return await FILES.get_response("index.html", request.scope)


@router.get("/docs/{file}")
async def file(request: Request, file: str) -> Response:
    """A file that it needs."""
    return await FILES.get_response(file, request.scope)

"""``python -m tests.soak.bare PORT``: uvicorn answering 4 KB to whatever it is sent, and nothing else."""

from __future__ import annotations

import sys

import uvicorn
from starlette.types import Receive, Scope, Send

BODY = bytes(4096)
HEADERS = [(b"content-type", b"application/octet-stream"), (b"content-length", b"4096")]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a request, and answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", ws="none", log_level="error")

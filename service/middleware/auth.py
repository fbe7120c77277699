"""Who is answered: requests for this host, and with API keys, those that bring one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.context import current
from service.middleware.request_context import PROBES, header
from service.problems import Problem, problem_response
from service.security import api_keys
from service.security.api_keys import Key
from service.security.hosts import fits, host_name, is_loopback

PAGES = frozenset({"/", "/docs", "/openapi.json"})
PAGE_FILES = "/docs/"
"""The documentation, which needs no key: it is the same in every service, and has the form that takes the key."""


class Guard:
    """ASGI middleware: answers 400 to requests for another host, and with keys, 401 to those that bring none of them.

    Without ``hosts``, any may be asked for, but over a loopback address only this machine's own names: a page that has
    its own name resolve to 127.0.0.1 (DNS rebinding) could read answers otherwise.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], keys: Sequence[Key]) -> None:
        self.app = app
        self._hosts = hosts
        self._keys = keys
        self._is_ours = lru_cache(256)(self._judge)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES and (problem := self._refusal(scope)):
            await problem_response(problem, scope["path"])(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Problem | None:
        server = scope.get("server")
        host = header(scope, b"host")
        if not self._is_ours(server[0] if server else "", host):
            ours = ", ".join(self._hosts) or "localhost and its addresses, as it came over one of these"
            message = f"Host: got {host.decode('latin-1')[:80]!r}; accepts {ours} (--allowed-hosts allows others)"
            return Problem(400, message, where="Host")
        return self._without_key(scope) if self._keys else None

    def _without_key(self, scope: Scope) -> Problem | None:
        given = given_key(scope)
        if found := api_keys.find(self._keys, given):
            current.get().admin = found.admin
            return None
        if scope["path"] in PAGES or scope["path"].startswith(PAGE_FILES):
            return None
        what = "this API key is not known" if given else "needs an API key"
        challenge = 'Bearer error="invalid_token"' if given else "Bearer"
        message = f"{what}: Authorization: Bearer KEY, or X-API-Key: KEY"
        return Problem(401, message, headers={"WWW-Authenticate": challenge})

    def _judge(self, server: str, host: bytes) -> bool:
        name = host_name(host.decode("latin-1"))
        if not self._hosts:
            return is_loopback(name) or not is_loopback(server)
        return any(fits(pattern, name) for pattern in self._hosts)


def given_key(scope: Scope) -> bytes:
    """The API key of a request, empty if it brings none."""
    bearer = b""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            found: bytes = value
            return found
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip()
    return bearer

"""Authentication: which hosts and which API keys requests are answered for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from service.context import current_request
from service.problems import Problem, problem_response
from service.security import api_keys
from service.security.api_keys import Key
from service.security.hosts import host_name, is_loopback, matches
from service.web.scope import PROBES, header, is_open


class AuthMiddleware:
    """ASGI middleware: answers 400 to requests for another host and, if there are keys, 401 to those without one.

    With no ``hosts``, any host may be named; but over a loopback address only this machine's own names may. Otherwise a
    web page whose name resolves to 127.0.0.1 (DNS rebinding) could read responses.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], keys: Sequence[Key]) -> None:
        self.app = app
        self._hosts = hosts
        self._keys = keys
        self._is_allowed = lru_cache(256)(self._check_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES and (problem := self._problem(scope)):
            await problem_response(problem, scope["path"])(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _problem(self, scope: Scope) -> Problem | None:
        server = scope.get("server")
        host = header(scope, b"host")
        if not self._is_allowed(server[0] if server else "", host):
            accepted = "the hosts of --allowed-hosts"
            if not self._hosts:  # which names are allowed is nothing for whoever asks
                accepted = "localhost and its addresses, as it came over one of these (--allowed-hosts allows others)"
            return Problem(400, f"Host: got {host.decode('latin-1')[:80]!r}; accepts {accepted}", where="Host")
        return self._key_problem(scope) if self._keys else None

    def _key_problem(self, scope: Scope) -> Problem | None:
        sent = sent_key(scope)
        if found := api_keys.find(self._keys, sent):
            current_request.get().admin = found.admin
            return None
        if is_open(scope["path"]):
            return None
        what = "this API key is not known" if sent else "needs an API key"
        challenge = 'Bearer error="invalid_token"' if sent else "Bearer"
        message = f"{what}: Authorization: Bearer KEY, or X-API-Key: KEY"
        return Problem(401, message, headers={"WWW-Authenticate": challenge})

    def _check_host(self, server: str, host: bytes) -> bool:
        name = host_name(host.decode("latin-1"))
        if name is None:
            return False
        if not self._hosts:
            return is_loopback(name) or not is_loopback(server)
        return any(matches(pattern, name) for pattern in self._hosts)


def sent_key(scope: Scope) -> bytes:
    """The API key of a request; empty if there is none."""
    bearer = b""
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            found: bytes = value
            return found
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = value[7:].strip()
    return bearer

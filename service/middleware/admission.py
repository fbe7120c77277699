"""The door: requests beyond what the service can take are refused before anything is made of them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from time import perf_counter
from typing import NamedTuple

from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.batching.scheduler import QueueFull, Scheduler, Ticket
from service.context import request_id
from service.inference.repository import Store
from service.middleware.request_context import PROBES, header
from service.observability.metrics import request_seconds
from service.problems import METHODS, problem_response, too_much
from service.security.response_headers import HEADERS, HEADERS_BY_PATH, Headers, lines

access = logging.getLogger("spritevae.access")
QUEUED = frozenset({"/decode", "/edit", "/encode", "/interpolate"})
"""Routes whose requests wait for a model: the one that the query names, or the default one."""
TELL_SECONDS = 1


class Refusal(NamedTuple):
    """Why a request is refused, and in how many seconds another one may not be."""

    status: int
    detail: str
    seconds: int
    limit: int


class Door:
    """ASGI middleware: answers 503 to requests beyond ``most`` at once, and 429 to those for which no queue has room.

    Of four times too many requests, three quarters are refused: were that to take as long as the other layers do,
    little time would be left for answers. So a refusal is made once for many, and logged with all of its second.
    ``refuse`` is ``refuse_request``, or something around it; ``state`` is the app's.
    """

    def __init__(self, app: ASGIApp, refuse: ASGIApp, state: State) -> None:
        self.app = app
        self._refuse = refuse
        self._state = state
        self._store: Store = state.store
        self._most = most = state.settings.max_requests
        self._too_many = Refusal(503, f"{most} requests are in hand, and no more are taken", 1, most)
        self._in_hand = 0
        self._refused: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            begin = perf_counter()
            scope["refusal"] = refusal
            await self._refuse(scope, receive, send)
            self._note(refusal, scope, perf_counter() - begin)
            return
        ticket, received = None, receive
        if scheduler := self._awaited(scope):
            scope["ticket"] = ticket = Ticket(scheduler)
            received = _counting(receive, ticket)
        self._in_hand += 1
        try:
            await self.app(scope, received, send)
        finally:
            self._in_hand -= 1
            if ticket:
                ticket.use()

    def _awaited(self, scope: Scope) -> Scheduler | None:
        """The queue that a request is for, if that is known without a look at its query or body."""
        if scope["path"] not in QUEUED or (scope["query_string"] and len(self._store.names) > 1):
            return None
        engine = self._store.default_engine
        return engine.scheduler if engine else None

    def answer(self, scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The whole answer to a request that is refused, with these headers too; empty if it isn't, or more than the
        usual is to be told: to other origins, and while the service ends.
        """
        begin = perf_counter()
        if (refusal := self._refusal(scope)) is None or self._state.draining or header(scope, b"origin"):
            return b""
        start, end = _message(refusal, scope["path"])
        self._note(refusal, scope, perf_counter() - begin)
        return start + lines((*headers, _id(scope))) + end

    def _refusal(self, scope: Scope) -> Refusal | None:
        if self._in_hand >= self._most and scope["path"] not in PROBES:
            return self._too_many
        if scheduler := self._awaited(scope):
            try:
                scheduler.check_room()
            except QueueFull as full:
                return Refusal(429, str(full), full.seconds, full.limit)
        return None

    def _note(self, refusal: Refusal, scope: Scope, seconds: float) -> None:
        """Count and log an answer that took so many seconds."""
        method, path = scope["method"], scope["path"]
        route, method = path if path in QUEUED else "other", method if method in METHODS else "other"
        request_seconds(method, route, str(refusal.status)).observe(seconds)
        if not self._refused:
            asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)
        self._refused[refusal.status] += 1

    def _tell(self) -> None:
        for status, requests in self._refused.items():
            access.info("requests refused", extra={"status": status, "requests": requests, "seconds": TELL_SECONDS})
        self._refused.clear()


def _counting(receive: Receive, ticket: Ticket) -> Receive:
    """Messages of a request whose ticket counts once its body is there: clients may take a minute to send that."""

    async def received() -> Message:
        message = await receive()
        if not message.get("more_body"):
            ticket.count()
        return message

    return received


async def refuse_request(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI app: the answer that says why ``Door`` refuses a request."""
    refusal: Refusal = scope["refusal"]
    told, content = _written(refusal, scope["path"])
    headers = [*told, _id(scope)]
    if scope["app"].state.draining:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@lru_cache(256)
def _written(refusal: Refusal, path: str) -> tuple[Headers, bytes]:
    """Headers and body of the answer to a request for ``path``."""
    response = problem_response(too_much(*refusal), path)
    return (*response.raw_headers, *HEADERS_BY_PATH.get(path, HEADERS)), bytes(response.body)


@lru_cache(256)
def _message(refusal: Refusal, path: str) -> tuple[bytes, bytes]:
    """The answer as it is sent, before and after the headers that differ."""
    told, content = _written(refusal, path)
    return STATUS_LINE[refusal.status] + lines(told), b"\r\n" + content


def _id(scope: Scope) -> tuple[bytes, bytes]:
    return b"x-request-id", request_id(header(scope, b"x-request-id")).encode()

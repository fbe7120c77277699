"""Admission control (load shedding): requests beyond what the service can take are rejected before any work on them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter
from typing import NamedTuple

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.batching.jobs import QueueFull, Reservation
from service.batching.problems import not_run
from service.batching.scheduler import Scheduler
from service.context import UNKNOWN_ROUTE, RequestContext, current_request, request_id
from service.inference.repository import ModelRepository
from service.observability.metrics import request_seconds
from service.problems import Problem, over_limit, problem_response
from service.security.response_headers import Headers, headers_for, serialize
from service.web.scope import PROBES, header, method_label, without_prefix

access = logging.getLogger("spritevae.access")
# The routes whose requests wait for a model: the one that the query names, or the default one.
QUEUED_ROUTES = frozenset({"/decode", "/edit", "/encode", "/interpolate"})
SUMMARY_SECONDS = 1


class Rejection(NamedTuple):
    """A response that is the same for many requests; only the request id is added to its headers."""

    status: int
    headers: Headers
    body: bytes
    head: bytes
    """The status line and the headers as they are sent."""


class AdmissionControl:
    """Decides which requests are taken: 503 beyond ``max_requests`` at once, 429 where a model's queue has no room.

    At four times the load that can be answered, three quarters of the requests are rejected. If each rejection took as
    long as the other layers take, little time would be left for answers. So a rejection is made once for many requests,
    and the log has one line a second for all of them.
    """

    def __init__(self, repository: ModelRepository, max_requests: int, root_path: str = "") -> None:
        self.draining = False
        """Whether the service is about to end. Connections are then closed after each response."""
        self.in_flight = 0
        """How many requests are in hand: those of ``InHandMiddleware`` that have a place."""
        self.root_path = root_path
        """The path prefix that requests may come with."""
        self._repository = repository
        self._max_requests = max_requests
        self._rejected: Counter[int] = Counter()

    def queue_for(self, scope: Scope) -> Scheduler | None:
        """The queue that a request will wait in, if its path alone tells."""
        if scope["path"] not in QUEUED_ROUTES or (scope["query_string"] and len(self._repository.names) > 1):
            return None
        engine = self._repository.default_engine
        return engine.scheduler if engine else None

    def rejection(self, scope: Scope, scheduler: Scheduler | None) -> Rejection | None:
        """Why a request for the queue of ``scheduler``, if that is known, is not taken; None if it is taken."""
        if self.in_flight >= self._max_requests and scope["path"] not in PROBES:
            return _rejection(self._overloaded(), scope["path"])
        if scheduler:
            try:
                scheduler.check_room()
            except QueueFull as full:
                return _full_queue(full.rows, full.limit, full.retry_after, scope["path"])
        return None

    def take_place(self) -> None:
        """Count one more request in hand; raises Problem 503 if there is no place."""
        if self.in_flight >= self._max_requests:
            raise self._overloaded()
        self.in_flight += 1

    def _overloaded(self) -> Problem:
        most = self._max_requests
        return over_limit(503, f"{most} requests are in hand, and no more are taken", 1, most)

    def raw_response(self, scope: Scope, server_headers: Headers) -> bytes:
        """The whole HTTP response to a request that is rejected; empty if the request is taken, or needs more headers
        than the usual ones: for another origin (CORS), and while the service drains.
        """
        start = perf_counter()
        if self.root_path:
            scope = without_prefix(scope, self.root_path)
        rejection = self.rejection(scope, self.queue_for(scope))
        if rejection is None or self.draining or header(scope, b"origin"):
            return b""
        self.record(rejection.status, scope, perf_counter() - start)
        return b"".join((rejection.head, serialize((*server_headers, _id_header(scope))), b"\r\n", rejection.body))

    def record(self, status: int, scope: Scope, seconds: float) -> None:
        """Count a rejection that took so long, and log it with those of the same second."""
        route = scope["path"] if scope["path"] in QUEUED_ROUTES else UNKNOWN_ROUTE
        request_seconds(method_label(scope), route, str(status)).observe(seconds)
        if not self._rejected:
            asyncio.get_running_loop().call_later(SUMMARY_SECONDS, self._log_summary)
        self._rejected[status] += 1

    def _log_summary(self) -> None:
        for status, requests in self._rejected.items():
            extra = {"status": status, "requests": requests, "seconds": SUMMARY_SECONDS}
            access.info("requests refused", extra=extra)
        self._rejected.clear()


class AdmissionMiddleware:
    """ASGI middleware: lets requests in, each with its ``RequestContext``, or answers with the rejection.

    ``cors`` wraps an ASGI app where other origins may read responses, which includes rejections.
    """

    def __init__(self, app: ASGIApp, admission: AdmissionControl, cors: Callable[[ASGIApp], ASGIApp]) -> None:
        self.app = app
        self._admission = admission
        self._cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # What another server or an application that this one is mounted in says by the ASGI specification counts, too.
        if root_path := self._admission.root_path or scope.get("root_path"):
            scope = without_prefix(scope, root_path)
        scheduler = self._admission.queue_for(scope)
        if rejection := self._admission.rejection(scope, scheduler):
            await self._reject(rejection, scope, receive, send)
            return
        reservation = Reservation(scheduler) if scheduler else None
        if reservation:
            receive = _reserving(receive, reservation)
        current_request.set(RequestContext(request_id(header(scope, b"x-request-id")), receive, reservation))
        try:
            await self.app(scope, receive, send)
        finally:
            if reservation:
                reservation.release()

    async def _reject(self, rejection: Rejection, scope: Scope, receive: Receive, send: Send) -> None:
        start = perf_counter()
        response = Response(rejection.body, rejection.status)
        response.raw_headers = [*rejection.headers, _id_header(scope)]
        if self._admission.draining:
            response.raw_headers.append((b"connection", b"close"))
        await self._cors(response)(scope, receive, send)
        self._admission.record(rejection.status, scope, perf_counter() - start)


def _reserving(receive: Receive, reservation: Reservation) -> Receive:
    """A request's messages. Its reservation counts once the body is complete: clients may take a minute to send it."""

    async def receive_and_reserve() -> Message:
        message = await receive()
        if not message.get("more_body"):
            reservation.activate()
        return message

    return receive_and_reserve


@lru_cache(256)
def _full_queue(rows: int, limit: int, seconds: int, path: str) -> Rejection:
    return _rejection(not_run(QueueFull(rows, limit, seconds)), path)


def _rejection(problem: Problem, path: str) -> Rejection:
    response = problem_response(problem, path)
    headers = (*response.raw_headers, *headers_for(path))
    status = HTTPStatus(response.status_code)
    line = b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode())
    return Rejection(status, headers, bytes(response.body), line + serialize(headers))


def _id_header(scope: Scope) -> tuple[bytes, bytes]:
    return b"x-request-id", request_id(header(scope, b"x-request-id")).encode()

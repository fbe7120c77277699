"""The one door from requests to inference: what a request wants run waits in its model's queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from starlette.requests import ClientDisconnect

from attributes import Float32
from service.batching.scheduler import Columns, DeadlinePassed, Graph, Job, Reason, Scheduler
from service.codecs.encode import Frames, to_pixels
from service.context import Call, current
from service.inference import predictions
from service.inference.model import Model
from service.problems import Problem

PATIENCE = 0.03
"""Seconds that a request waits before it is worth the trouble to look whether its client is still there."""

Result = TypeVar("Result")


class Engine:
    """A model and the queue before it. Each call raises QueueFull, QueueClosed, DeadlinePassed or ClientDisconnect.

    ``then`` makes the answer of the outputs where they were computed, which saves a change of threads: for quick work.
    """

    def __init__(self, model: Model, scheduler: Scheduler) -> None:
        self.model = model
        self.scheduler = scheduler
        # Kept, as jobs of the same graph share a batch.
        self._encode: Graph = lambda rows: model.encode(**rows)
        self._read: Graph = lambda rows: predictions.read(model, rows["image"], model.encode(**rows))
        self._decode: Graph = lambda rows: {"image": model.decode(rows["z"])}
        self._draw: Graph = lambda rows: _pixels(model.decode(rows["z"]))

    async def encode(self, image: Float32, **conditions: Float32) -> dict[str, Float32]:
        """As ``Model.encode``: images [B, C, H, W] -> z, weights, and mean, logvar where they exist."""
        return await self._run(self._encode, self.model.inputs(image, conditions), dict)

    async def read(self, image: Float32, then: Callable[[Columns], Result], **conditions: Float32) -> Result:
        """As ``encode``, with what ``predictions.read`` adds."""
        return await self._run(self._read, self.model.inputs(image, conditions), then)

    async def decode(self, z: Float32) -> Float32:
        """As ``Model.decode``: z [B, D] -> images [B, C, H, W]."""
        return await self._run(self._decode, {"z": z}, lambda outputs: outputs["image"])

    async def draw(self, z: Float32, then: Callable[[Frames], Result]) -> Result:
        """The frames [B, H, W, C] of 0..255 at z [B, D]; raises Problem 422 where the decoder gives no finite image."""

        def finish(outputs: Columns) -> Result:
            if "finite" in outputs and not outputs["finite"].all():
                raise Problem(422, "z: the decoder gives no finite image there", where="z")
            return then(outputs["frame"])

        return await self._run(self._draw, {"z": z}, finish)

    async def _run(self, graph: Graph, rows: Columns, then: Callable[[Columns], Result]) -> Result:
        call = current.get()
        loop = asyncio.get_running_loop()
        count = len(next(iter(rows.values())))
        job = Job(graph, rows, count, then, loop.create_future(), call.deadline)
        if call.ticket:
            call.ticket.use()
        self.scheduler.submit(job)
        watchers: list[asyncio.Task[None]] = []
        patience = min(PATIENCE, call.remaining)
        timer = loop.call_later(patience, lambda: watchers.append(loop.create_task(self._watch(job, call))))
        try:
            result: Result = await job.future
            return result
        except asyncio.CancelledError:
            self.scheduler.drop(job, "disconnect")
            raise
        finally:
            timer.cancel()
            for watcher in watchers:
                watcher.cancel()
            for phase, seconds in job.phases.items():
                call.add(phase, seconds)

    async def _watch(self, job: Job, call: Call) -> None:
        """Take a job out of the queue when its client leaves or its time is over."""
        reason: Reason = "disconnect"
        error: Exception = ClientDisconnect()
        try:
            async with asyncio.timeout(call.remaining):
                while (await call.receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            reason, error = "deadline", DeadlinePassed()
        self.scheduler.drop(job, reason)
        if not job.future.done():
            job.future.set_exception(error)


def _pixels(images: Float32) -> Columns:
    """Frames [B, H, W, C], and which are of finite numbers, unless all are."""
    if np.isfinite(images).all():
        return {"frame": to_pixels(images)}
    finite = np.asarray(np.isfinite(images).all(axis=(1, 2, 3)))
    return {"frame": to_pixels(np.nan_to_num(images)), "finite": finite}

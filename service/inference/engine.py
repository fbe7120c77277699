"""The engine: a model behind its queue. All inference that requests ask for goes through here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.requests import ClientDisconnect

from attributes import Float32
from service.batching.jobs import MAX_BATCH, Batch, BatchFunction, DeadlinePassed, Job
from service.batching.scheduler import Scheduler
from service.codecs.encode import Frames, to_frames
from service.context import RequestContext, current_request, timed_phase
from service.inference import predictions
from service.inference.model import Model
from service.problems import Problem
from service.threads import MAX_LOOP_MICROSECONDS, in_thread

# A request that is answered sooner than this, in seconds, never looks whether its client is still there.
DISCONNECT_POLL_SECONDS = 0.03

ALL_FINITE = np.ones(MAX_BATCH, bool)
NO_CONDITIONS: Mapping[str, Float32] = MappingProxyType({})

Result = TypeVar("Result")


class Engine:
    """A model and its queue. Each call raises QueueFull, QueueClosed, DeadlinePassed or ClientDisconnect.

    ``then`` makes the result of the outputs, in about ``microseconds``: where the outputs were computed if that
    is short, as a change of threads takes longer; else in a thread of its own, as other batches would wait for it.
    """

    def __init__(self, model: Model, scheduler: Scheduler) -> None:
        self.model = model
        self.scheduler = scheduler
        # Made once, as jobs of the same function share a batch. Metrics count batches by the function's name.

        def encode(inputs: Batch) -> Batch:
            return model.encode(**inputs)

        def predict(inputs: Batch) -> Batch:
            return predictions.predict(model, inputs["image"], model.encode(**inputs))

        def decode(inputs: Batch) -> Batch:
            return {"image": model.decode(inputs["z"])}

        def draw(inputs: Batch) -> Batch:
            return _frames(model.decode(inputs["z"]))

        self._encode, self._predict, self._decode, self._draw = encode, predict, decode, draw

    async def encode(self, image: Float32, conditions: Mapping[str, Float32] = NO_CONDITIONS) -> dict[str, Float32]:
        """As ``Model.encode``: images [B, C, H, W] -> z, weights, and mean, logvar where they exist."""
        return await self._run(self._encode, self.model.inputs(image, conditions), dict)

    async def predict(
        self,
        image: Float32,
        then: Callable[[Batch], Result],
        *,
        microseconds: float,
        conditions: Mapping[str, Float32] = NO_CONDITIONS,
    ) -> Result:
        """What ``then`` makes of the outputs of ``encode`` with what ``predictions.predict`` adds."""
        return await self._run(self._predict, self.model.inputs(image, conditions), then, microseconds)

    async def decode(self, z: Float32) -> Float32:
        """As ``Model.decode``: z [B, D] -> images [B, C, H, W]."""
        return await self._run(self._decode, {"z": z}, lambda outputs: outputs["image"])

    async def draw(self, z: Float32, then: Callable[[Frames], Result], *, microseconds: float = 0) -> Result:
        """What ``then`` makes of the frames [B, H, W, C] of 0..255 at z [B, D].

        Raises Problem 422 where the decoder gives no finite image.
        """

        def finish(outputs: Batch) -> Result:
            if not all(outputs["finite"].tolist()):  # sooner than numpy's all() for so few
                raise Problem(422, "z: the decoder gives no finite image there", where="z")
            return then(outputs["frame"])

        return await self._run(self._draw, {"z": z}, finish, microseconds)

    async def _run(
        self, function: BatchFunction, inputs: Batch, then: Callable[[Batch], Result], microseconds: float = 0
    ) -> Result:
        if microseconds > MAX_LOOP_MICROSECONDS:
            outputs: Batch = await self._run(function, inputs, dict)
            with timed_phase("encoding"):
                return await in_thread(lambda: then(outputs))
        request = current_request.get()
        loop = asyncio.get_running_loop()
        count = len(next(iter(inputs.values())))
        job = Job(function, inputs, count, then, loop.create_future(), request.deadline)
        if request.reservation:
            request.reservation.release()
        self.scheduler.submit(job)
        watchers: list[asyncio.Task[None]] = []
        delay = min(DISCONNECT_POLL_SECONDS, request.remaining)
        timer = loop.call_later(delay, lambda: watchers.append(loop.create_task(self._watch(job, request))))
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
                request.add_timing(phase, seconds)

    async def _watch(self, job: Job, request: RequestContext) -> None:
        """Take a job out of the queue when its client disconnects or its deadline passes."""
        error = await _left(request)
        self.scheduler.drop(job, "deadline" if isinstance(error, DeadlinePassed) else "disconnect")
        if not job.future.done():
            job.future.set_exception(error)


async def unless_left(work: Coroutine[Any, Any, Result]) -> Result:
    """The result of work for the request in hand. It is cancelled when the client disconnects or the deadline passes.

    Raises ClientDisconnect or DeadlinePassed then.
    """
    request = current_request.get()
    waiting: set[asyncio.Task[Any]] = {task := asyncio.create_task(work)}
    try:
        done, _ = await asyncio.wait(waiting, timeout=min(DISCONNECT_POLL_SECONDS, request.remaining))
        if not done:
            waiting.add(watcher := asyncio.create_task(_left(request)))
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise watcher.result()
        return task.result()
    finally:
        for each in waiting:
            each.cancel()


async def _left(request: RequestContext) -> DeadlinePassed | ClientDisconnect:
    """Returns once a request's deadline has passed or its client has disconnected."""
    try:
        async with asyncio.timeout(request.remaining):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return DeadlinePassed()
    return ClientDisconnect()


def _frames(images: Float32) -> Batch:
    """Frames [B, H, W, C] of images [B, C, H, W], and which of these are ``finite`` [B]."""
    # One product takes half the time of looking at each value. It may overflow, but is never finite by mistake.
    if math.isfinite(np.vdot(images, images)):
        return {"frame": to_frames(images), "finite": ALL_FINITE[: len(images)]}
    finite: NDArray[Any] = np.asarray(np.isfinite(images).all(axis=(1, 2, 3)))  # [B]
    return {"frame": to_frames(np.nan_to_num(images)), "finite": finite}

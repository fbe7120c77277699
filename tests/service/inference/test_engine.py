from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from service.batching.scheduler import DeadlinePassed, Scheduler
from service.context import RequestContext, current_request
from service.inference.engine import Engine, unless_left
from service.inference.model import Model
from service.problems import Problem

Z = np.zeros((1, 81), np.float32)


@pytest.fixture
def model(bundles: Path) -> Model:
    return Model.load(bundles / "grey", "cpu")


@pytest.fixture
def engine(model: Model) -> Iterator[Engine]:
    scheduler = Scheduler("grey", threads=1, limit=100)
    yield Engine(model, scheduler)
    scheduler.close()


async def silent() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


class Held:
    """A decoder that begins, and gives nothing before it may."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.seen: list[float] = []

    def __call__(self, z: np.ndarray) -> np.ndarray:
        self.seen.extend(z[:, 0].tolist())
        self.begun.set()
        assert self.may_end.wait(60)
        return np.zeros((len(z), 1, 32, 32), np.float32)

    async def wait_until_begun(self) -> None:
        while not self.begun.is_set():
            await asyncio.sleep(0.001)


@pytest.fixture
def held(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Held:
    """The engine's decoder, held."""
    decoder = Held()
    monkeypatch.setattr(engine.model, "decode", decoder)
    return decoder


def test_the_event_loop_stays_free_during_inference(engine: Engine, held: Held):
    async def main() -> None:
        current_request.set(RequestContext("", silent))
        inference = asyncio.create_task(engine.decode(Z))
        await held.wait_until_begun()  # which it never does in an event loop that isn't free
        assert not inference.done()
        held.may_end.set()
        await inference

    asyncio.run(main())


def test_an_engine_gives_what_its_model_gives(engine: Engine):
    images = np.random.default_rng(0).random((3, 1, 32, 32), np.float32)

    async def main() -> None:
        call = RequestContext("", silent)
        current_request.set(call)
        outputs = await engine.encode(images)
        np.testing.assert_array_equal(outputs["z"], engine.model.encode(images)["z"])
        np.testing.assert_array_equal(await engine.decode(outputs["z"]), engine.model.decode(outputs["z"]))
        frames = await engine.draw(outputs["z"], np.asarray)
        np.testing.assert_array_equal(frames[..., 0], np.rint(255 * engine.model.decode(outputs["z"]))[:, 0])
        assert set(call.phases) == {"queue", "inference", "encoding"}

    asyncio.run(main())


def test_what_is_no_image_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine.model, "decode", lambda z: np.full((len(z), 1, 32, 32), np.nan, np.float32))

    async def main() -> None:
        current_request.set(RequestContext("", silent))
        with pytest.raises(Problem, match="no finite image"):
            await engine.draw(Z, np.asarray)

    asyncio.run(main())


@pytest.mark.filterwarnings("error")
def test_values_whose_product_overflows_are_finite_all_the_same(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine.model, "decode", lambda z: np.full((len(z), 1, 32, 32), 1e38, np.float32))

    async def main() -> None:
        current_request.set(RequestContext("", silent))
        assert (await engine.draw(Z, np.asarray) == 255).all()

    asyncio.run(main())


def test_a_request_is_not_run_once_its_client_has_left_or_its_time_is_over(engine: Engine, held: Held):
    async def leaves() -> Message:
        return {"type": "http.disconnect"}

    async def ask(value: float, call: RequestContext) -> np.ndarray:
        current_request.set(call)
        return await engine.decode(np.full((1, 81), value, np.float32))

    async def main() -> None:
        first = asyncio.create_task(ask(1, RequestContext("", silent)))
        await held.wait_until_begun()
        late = asyncio.create_task(ask(2, RequestContext("", silent, deadline=time.perf_counter() + 0.05)))
        gone = asyncio.create_task(ask(3, RequestContext("", leaves)))
        with pytest.raises(DeadlinePassed):
            await late
        with pytest.raises(ClientDisconnect):
            await gone
        assert not first.done()
        assert engine.scheduler.waiting == 0
        held.may_end.set()
        await first
        await ask(4, RequestContext("", silent))

    asyncio.run(main())
    assert held.seen == [1, 4]


async def disconnected() -> Message:
    return {"type": "http.disconnect"}


@pytest.mark.parametrize(("receive", "deadline", "error"), [
    (disconnected, float("inf"), ClientDisconnect),
    (silent, 0.1, DeadlinePassed),
])  # fmt: skip
def test_work_that_nobody_waits_for_is_cancelled(receive: Receive, deadline: float, error: type[Exception]):
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    async def main() -> None:
        current_request.set(RequestContext("a", receive, deadline=time.perf_counter() + deadline))
        with pytest.raises(error):
            await unless_left(endless())

    asyncio.run(main())
    assert ended == ["yes"]


def test_work_that_is_done_gives_its_result_or_error():
    async def work(result: int) -> float:
        await asyncio.sleep(0.05)
        return 1 / result

    async def main() -> None:
        current_request.set(RequestContext("a", silent))
        assert await unless_left(work(2)) == 0.5
        with pytest.raises(ZeroDivisionError):
            await unless_left(work(0))

    asyncio.run(main())

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from service.call import Call, current
from service.engine import Engine
from service.errors import Problem
from service.runtime import Model
from service.scheduler import DeadlinePassed, Scheduler

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


def slow(z: np.ndarray) -> np.ndarray:
    time.sleep(0.6)
    return np.zeros((len(z), 1, 32, 32), np.float32)


def test_the_event_loop_stays_free_during_inference(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine.model, "decode", slow)

    async def longest_pause() -> float:
        current.set(Call("", silent))
        inference = asyncio.create_task(engine.decode(Z))
        longest = 0.0
        while not inference.done():
            start = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - start)
        return longest

    assert asyncio.run(longest_pause()) < 0.3


def test_an_engine_gives_what_its_model_gives(engine: Engine):
    images = np.random.default_rng(0).random((3, 1, 32, 32), np.float32)

    async def main() -> None:
        call = Call("", silent)
        current.set(call)
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
        current.set(Call("", silent))
        with pytest.raises(Problem, match="no finite image"):
            await engine.draw(Z, np.asarray)

    asyncio.run(main())


def test_a_request_is_not_run_once_its_client_has_left_or_its_time_is_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    ran = []
    monkeypatch.setattr(engine.model, "decode", lambda z: ran.extend(z[:, 0].tolist()) or slow(z))

    async def leaves() -> Message:
        await asyncio.sleep(0.05)
        return {"type": "http.disconnect"}

    async def ask(value: float, call: Call) -> np.ndarray:
        current.set(call)
        return await engine.decode(np.full((1, 81), value, np.float32))

    async def main() -> None:
        first = asyncio.create_task(ask(1, Call("", silent)))
        await asyncio.sleep(0.1)
        start = time.perf_counter()
        late = asyncio.create_task(ask(2, Call("", silent, deadline=start + 0.05)))
        gone = asyncio.create_task(ask(3, Call("", leaves)))
        with pytest.raises(DeadlinePassed):
            await late
        with pytest.raises(ClientDisconnect):
            await gone
        assert time.perf_counter() - start < 0.4
        assert engine.scheduler.waiting == 0
        await first
        await ask(4, Call("", silent))

    asyncio.run(main())
    assert ran == [1, 4]

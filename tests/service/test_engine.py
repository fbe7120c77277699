from __future__ import annotations

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest

from service.engine import Engine
from service.runtime import Model


def test_the_event_loop_stays_free_during_inference(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    model = Model.load(bundles / "grey", "cpu")

    def slow(z: np.ndarray) -> np.ndarray:
        time.sleep(0.3)
        return z

    monkeypatch.setattr(model, "decode", slow)

    async def longest_pause() -> float:
        inference = asyncio.create_task(Engine(model).decode(np.zeros((1, 81), np.float32)))
        longest = 0.0
        while not inference.done():
            start = time.perf_counter()
            await asyncio.sleep(0.005)
            longest = max(longest, time.perf_counter() - start)
        return longest

    assert asyncio.run(longest_pause()) < 0.15


def test_an_engine_gives_what_its_model_gives(bundles: Path):
    model = Model.load(bundles / "codes", "cpu")
    images = np.random.default_rng(0).random((3, 1, 32, 32), np.float32)
    outputs = asyncio.run(Engine(model).encode(images))
    np.testing.assert_array_equal(outputs["z"], model.encode(images)["z"])

"""A queue that is kept long."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np

from spritevae import load
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, request
from tests.soak.questions import VALUES

ITEMS = 256
"""Images of each request that makes the queue long."""


class Queue:
    """A queue that is kept long by requests of many images."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.images = 0
        """Of those requests that are answered."""
        self.waits: list[float] = []
        """Seconds that each of them waited for its turn."""
        weights = load(DSPRITES, device="cpu").attributes.weights(VALUES[0])
        content = np.tile(weights, (ITEMS, 1)).astype("<f4").tobytes()
        parameters = {"binary_data_size": len(content)}
        tensor = {"name": "weights", "shape": [ITEMS, len(weights)], "datatype": "FP32", "parameters": parameters}
        head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
        length = {"inference_header_content_length": str(len(head))}
        self._request = request("POST", "/v2/models/dsprites/infer", head + content, **length)

    @asynccontextmanager
    async def long(self, seconds: float) -> AsyncIterator[None]:
        """Inside, whoever comes waits so many seconds or more; then until all is answered."""
        keep = asyncio.Event()
        keep.set()
        self.waits.clear()
        async with asyncio.TaskGroup() as group:  # a request that fails ends the wait for it
            senders = 0
            while len(self.waits) < 5 or min(self.waits[-5:]) < seconds:
                group.create_task(self._fill(keep))
                senders += 1
                seen = len(self.waits)
                while len(self.waits) < seen + 2 * senders:  # until each has come behind all others
                    await asyncio.sleep(0.001)
            self.waits.clear()
            try:
                yield
            finally:
                keep.clear()

    async def _fill(self, keep: asyncio.Event) -> None:
        while keep.is_set():
            answer = await self._client.ask(self._request)
            assert answer.status == 200, answer.body[:200]
            self.images += ITEMS
            timing = dict(part.split(";dur=") for part in answer.header("server-timing").split(", "))
            self.waits.append(float(timing["queue"]) / 1000)

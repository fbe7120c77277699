"""Image files that are cut short: refused wherever Pillow's strict decoder refuses them."""

from __future__ import annotations

import asyncio
import io
import random
from collections import Counter
from collections.abc import Iterator

import numpy as np
from PIL import Image

from service.codecs.decode import PILLOW_FORMATS
from tests.service.processes import running
from tests.soak.bundles import DSPRITES
from tests.soak.client import Client, request
from tests.soak.figures import Figure, exactly
from tests.soak.questions import VALUES
from tests.support import ROOT

NPY = "application/x-npy"


def run(cuts: int, seed: int = 0) -> Iterator[Figure]:
    """So many cuts of a real file of each format, a tenth of them within its last 20 bytes."""
    with running(DSPRITES, "--device", "cpu") as service:
        files = asyncio.run(_files(Client(service.address)))
        draw = random.Random(seed)
        for media, whole in files.items():
            places = [draw.randrange(len(whole)) for _ in range(cuts - cuts // 10)]
            places += [len(whole) - draw.randint(1, 20) for _ in range(cuts // 10)]
            seen, wrong = asyncio.run(_send(Client(service.address), media, [whole[:place] for place in places]))
            statuses = ", ".join(f"{number} x {status}" for status, number in seen.items())
            yield exactly(f"{media}, {len(whole):,} bytes: {statuses}; not as Pillow has it", wrong, 0)


async def _files(client: Client) -> dict[str, bytes]:
    """What the service itself draws, and pictures of the documentation."""
    files = {}
    walk = {"keyframes": VALUES, "steps": 4}
    for media in ("image/gif", "image/apng", "image/webp", NPY):
        files[media] = (await client.ask(request("POST", "/interpolate", walk, accept=media))).body
    with Image.open(ROOT / "docs" / "sprites.png") as picture:
        files["image/png"] = (ROOT / "docs" / "sprites.png").read_bytes()
        for media, options in (("image/jpeg", {}), ("image/jpeg", {"progressive": True})):
            out = io.BytesIO()
            picture.convert("RGB").save(out, "JPEG", **options)
            files[f"{media}{'; progressive' * bool(options)}"] = out.getvalue()
    return files


async def _send(client: Client, media: str, files: list[bytes]) -> tuple[Counter[int], int]:
    """Statuses, and how many are not as they should be."""
    seen: Counter[int] = Counter()
    wrong = 0
    for data in files:
        status = (await client.ask(request("POST", "/encode", data, content_type=media))).status
        seen[status] += 1
        wrong += status != (200 if _whole(data, media.split(";")[0]) else 400)
    return seen, wrong


def _whole(data: bytes, media: str) -> bool:
    """Whether Pillow, or numpy, reads all of a file."""
    try:
        if media == NPY:
            np.load(io.BytesIO(data))
            return True
        with Image.open(io.BytesIO(data), formats=[PILLOW_FORMATS[media]]) as image:
            for index in range(1 if media == "image/jpeg" else getattr(image, "n_frames", 1)):
                image.seek(index)
                image.load()
    except Exception:  # damaged files raise all sorts of things
        return False
    return True

"""What requests made of images share: their images decoded, and encoded by the model."""

from __future__ import annotations

from collections.abc import Mapping

from attributes import Float32
from service.batching.jobs import Batch
from service.codecs.decode import MICROSECONDS_PER_BYTE, Source, decode_images, plain_images
from service.inference.engine import Engine
from service.inference.model import Model
from service.settings import Settings
from service.threads import MAX_LOOP_MICROSECONDS, in_thread
from service.web.base64_files import base64_sources


async def read_images(
    sources: list[Source], model: Model, settings: Settings, max_items: int
) -> tuple[Float32, list[list[str]]]:
    """Images [N, C, H, W] in 0..1, and how each one was converted; raises Problem 400, 413 or 422."""
    spec = model.manifest.image
    # Plain files of the model's size take time by their pixels. Any other file may take long, however short it is.
    microseconds = MICROSECONDS_PER_BYTE * len(sources) * spec.height * spec.width * spec.channels
    if microseconds <= MAX_LOOP_MICROSECONDS:
        images = plain_images(sources, spec, settings.max_pixels)
        if images is not None:
            return images, [[] for _ in sources]
    return await in_thread(lambda: decode_images(sources, spec, max_items, settings.max_pixels))


async def encode_base64(engine: Engine, texts: Mapping[str, str], settings: Settings, max_items: int) -> Batch:
    """The encoder's outputs for images in base64, by where in the request each is; raises Problem 400, 413 or 422."""
    images, _ = await read_images(await base64_sources(texts), engine.model, settings, max_items)
    return await engine.encode(images)

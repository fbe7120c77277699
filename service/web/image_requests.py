"""What requests made of images share: their images decoded, and encoded by the model."""

from __future__ import annotations

import math
from collections.abc import Mapping

from attributes import Float32
from service.batching.jobs import Batch
from service.codecs.batch import may_be_plain, plain_batch, to_batch
from service.codecs.decode import Source, decode_images, is_array
from service.codecs.decoder_process import Decoded, DecoderPool
from service.codecs.errors import ImageError
from service.codecs.png import Shape
from service.inference.engine import Engine, unless_left
from service.problems import Problem
from service.settings import Settings
from service.threads import cores, in_thread, in_thread_if_long
from service.web.base64_files import base64_sources

# About how long a byte of a plain PNG takes to decode.
MICROSECONDS_PER_BYTE = 0.01
# What decoding may hold: for each pixel, of which a WebP of RGBA takes 20, for each byte of a body, and beside these.
BYTES_PER_PIXEL = 32
SPARE_BYTES = 2**26


class ImageReader:
    """Reads the images of requests: plain PNG files and arrays in this process, all other files in others."""

    def __init__(self, settings: Settings) -> None:
        self._max_pixels = settings.max_pixels
        memory = BYTES_PER_PIXEL * settings.max_pixels + 4 * settings.max_body_bytes + SPARE_BYTES
        self._decoders = DecoderPool(cores(), memory)

    def close(self) -> None:
        """End the other processes."""
        self._decoders.close()

    async def read(self, sources: list[Source], shape: Shape, max_items: int) -> tuple[Float32, list[list[str]]]:
        """Images [N, C, H, W] in 0..1, and how each one was converted.

        Raises Problem 400, 413 or 422, and ClientDisconnect or DeadlinePassed if nobody waits for it any more.
        """
        # Plain files of the model's size take time by their pixels. Any other file may take long, however short it is.
        microseconds = MICROSECONDS_PER_BYTE * len(sources) * math.prod(shape)
        if may_be_plain(sources, shape, self._max_pixels):
            batch = await in_thread_if_long(microseconds, plain_batch, sources, shape)
            if batch is not None:
                return batch, [[] for _ in sources]
        try:
            images, converted = await self._decode(sources, shape, max_items)
        except ImageError as error:
            raise Problem(error.status, error.detail, **error.members) from None
        microseconds = MICROSECONDS_PER_BYTE * len(images) * math.prod(shape)
        return await in_thread_if_long(microseconds, to_batch, images, shape), converted

    async def _decode(self, sources: list[Source], shape: Shape, max_items: int) -> Decoded:
        if all(map(is_array, sources)):
            return await in_thread(decode_images, sources, shape, max_items, self._max_pixels)
        return await unless_left(self._decoders.decode(sources, shape, max_items, self._max_pixels))

    async def encode_base64(self, engine: Engine, texts: Mapping[str, str], max_items: int) -> Batch:
        """The encoder's outputs for images in base64, by where in the request each is; raises what ``read`` raises."""
        images, _ = await self.read(await base64_sources(texts), engine.model.manifest.image.shape, max_items)
        return await engine.encode(images)

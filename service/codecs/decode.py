"""Decoding images: from files of any size and colour to a batch as the model takes it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, PngImagePlugin, features
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile

from service.codecs import avif, png
from service.codecs.errors import ImageError
from service.codecs.fit import as_picture, fit
from service.codecs.limits import PixelBudget, check_avif, check_effort, check_parts
from service.codecs.npy import read_array
from service.codecs.png import Shape

NPY, NPY_MAGIC = "application/x-npy", b"\x93NUMPY"
PILLOW_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/apng": "PNG",
    "image/bmp": "BMP",
    **({"image/avif": "AVIF"} if features.check("avif") else {}),  # Pillow may be built without
}
FORMATS = (*PILLOW_FORMATS, NPY)
# Other names of these that browsers and libraries send, and what they send if they know nothing of the file.
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-ms-bmp": "image/bmp",
}
UNKNOWN = ("application/octet-stream", "binary/octet-stream")
FILE_TYPES = (*FORMATS, *ALIASES, *UNKNOWN)
# Pillow would inflate up to 64 MB of a PNG's texts, which the service never reads.
MAX_TEXT_BYTES = 2**22
# Damaged chunks of a PNG that are named; a file may have thousands.
MAX_NAMED_CHUNKS = 8


class Source(NamedTuple):
    """A file that came in: where in the request, and its media type, one of FILE_TYPES, or None.

    None and those of UNKNOWN leave it to the file's content.
    """

    where: str
    data: bytes
    media: str | None


def limit_pillow() -> None:
    """Set the limits of Pillow that are global, and silence it, for a process that decodes files of strangers."""
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # else as many as there are cores, for each file
    # Of each wrong entry of a file's EXIF: a small file would write megabytes of log, and Python would remember it all.
    warnings.filterwarnings("ignore", module="PIL")


def decode_images(
    sources: list[Source], shape: Shape, max_items: int, max_pixels: int
) -> tuple[list[NDArray[Any]], list[list[str]]]:
    """Images [H, W, C] of 0..255 as uint8 or of 0..1 as float32, as the model takes them, and how each was converted.

    Each frame of an animation and each image of an array counts. All together may have ``max_pixels``. Raises
    ImageError 400, 413 or 422.
    """
    images: list[NDArray[Any]] = []
    notes: list[list[str]] = []
    budget = PixelBudget(max_pixels)
    for source in sources:
        for image, converted in _decode(source, shape, max_items, budget):
            images.append(image)
            notes.append(converted)
            if len(images) > max_items:
                raise ImageError(413, f"more than {max_items} images", limit=max_items)
    return images, notes


def _decode(
    source: Source, shape: Shape, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[Any], list[str]]]:
    media = sniff(source) if source.media is None or source.media in UNKNOWN else source.media
    media = ALIASES.get(media, media)
    if media == NPY:
        yield from _array(source, shape, max_items, budget)
        return
    pillow_format = PILLOW_FORMATS[media]
    check_parts(source.data, source.where, pillow_format)
    if pillow_format == "PNG":
        yield from _png(source, shape, max_items, budget)
    else:
        if pillow_format == "AVIF":
            check_avif(source.data, source.where, budget)
        yield from _frames(source, pillow_format, shape, max_items, budget)


def _png(
    source: Source, shape: Shape, max_items: int, budget: PixelBudget
) -> list[tuple[NDArray[np.uint8], list[str]]]:
    """Frames [H, W, C] of a PNG. One that Pillow refuses is read again without the damaged chunks that may be absent.

    Pillow reads no such chunk, and refuses the file; libpng and browsers read it.
    """
    if (image := png.decode(source.data, shape)) is not None:
        budget.take(source.where, shape[1], shape[0], 1)
        return [(image, [])]
    left = budget.left
    try:
        return [*_frames(source, "PNG", shape, max_items, budget)]
    except ImageError as error:
        if error.status != 400:
            raise
        try:
            data, skipped = png.mend(source.data)
        except png.DamagedChunk as damage:
            raise ImageError(400, f"{source.where}: damaged: {damage}", where=source.where) from None
        if not skipped:
            raise
    budget.left = left
    note = f"damaged chunks skipped: {', '.join(skipped[:MAX_NAMED_CHUNKS])}"
    return [(image, [note, *notes]) for image, notes in _png(source._replace(data=data), shape, max_items, budget)]


def _array(
    source: Source, shape: Shape, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[Any], list[str]]]:
    for array in read_array(source.data, source.where, max_items, budget.limit):
        if array.shape == shape:
            yield array, []
        elif array.dtype == np.uint8:
            yield fit(as_picture(array), shape)
        else:
            image, notes = fit(as_picture(np.rint(255 * array).astype(np.uint8)), shape)
            yield image, ["rounded to 8 bits", *notes]


def is_array(source: Source) -> bool:
    """Whether a file is an npy file, by its media type, or its first bytes if that doesn't say what it is."""
    return source.media == NPY or (source.media in (None, *UNKNOWN) and source.data.startswith(NPY_MAGIC))


def sniff(source: Source) -> str:
    """The media type that a file's first bytes tell; raises ImageError 400 if it is none that is accepted."""
    data = source.data
    for magic, media in (
        (png.SIGNATURE, "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (NPY_MAGIC, NPY),
        (b"BM", "image/bmp"),
    ):
        if data.startswith(magic):
            return media
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if avif.is_avif(data) and "image/avif" in PILLOW_FORMATS:
        return "image/avif"
    raise ImageError(
        400, f"{source.where}: not an image; accepts {', '.join(FORMATS)}", where=source.where, accepted=FORMATS
    )


def _frames(
    source: Source, pillow_format: str, shape: Shape, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[np.uint8], list[str]]]:
    """Frames [H, W, C] of an image file. A file that Pillow's strict decoder refuses is damaged."""
    where = source.where
    try:
        with Image.open(BytesIO(source.data), formats=[pillow_format]) as image:
            # Further pictures in a JPEG are previews. The default image of an APNG is no frame of its animation.
            count = 1 if pillow_format == "JPEG" else _frame_count(image, max_items + 2)
            first = int(getattr(image, "default_image", False))
            deep = ["16 bits to 8"] if _is_deep_colour(image) else []
            if count - first > max_items:
                raise ImageError(413, f"{where}: {count - first} frames; accepts at most {max_items}", where=where)
            for index in range(count):
                image.seek(index)
                # For each frame again, as a later frame of a GIF may be larger.
                budget.take(where, image.width, image.height, count - index)
                check_effort(image, source.data, source.where, budget)
                image.load()
                if index >= first:
                    pixels, notes = fit(image, shape)
                    yield pixels, [*deep, *notes]
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(413, f"{where}: takes too much memory to decode", where=where) from None
    except Image.DecompressionBombError:
        message = f"{where}: a huge image; accepts at most {budget.limit} pixels"
        raise ImageError(413, message, where=where) from None
    except Exception as error:  # decoders raise almost any exception on damaged files
        name = pillow_format if source.data else "image: it is empty"
        raise ImageError(400, f"{where}: damaged, or no {name} ({type(error).__name__})", where=where) from None


def _is_deep_colour(image: ImageFile) -> bool:
    """Whether a file that was not loaded yet has 16 bits, of which Pillow keeps 8: it does of colour and of alpha."""
    return image.format == "PNG" and not image.mode.startswith("I") and "16B" in str(image.tile[0].args)


def _frame_count(image: Image.Image, most: int) -> int:
    """How many frames an image has, at most ``most``."""
    if not isinstance(image, GifImageFile):
        return min(getattr(image, "n_frames", 1), most)
    # As Pillow counts, but not further than needed: its n_frames goes through the whole file.
    count = 1
    try:
        while count < most:
            image._seek(count, False)
            count += 1
    except EOFError:
        pass
    image.seek(0)
    return count

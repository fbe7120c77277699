"""Decoding images: from files of any size and colour to a batch as the model takes it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin
from PIL.GifImagePlugin import GifImageFile

from attributes import Float32
from export.manifest import ImageSpec
from service.codecs import png
from service.codecs.npy import read_array
from service.problems import Problem

NPY = "application/x-npy"
PILLOW_FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/apng": "PNG",
}
FILE_TYPES = (*PILLOW_FORMATS, NPY)
# Bytes that one byte of a deflate stream can stand for (https://zlib.net/zlib_tech.html).
MAX_DEFLATE_RATIO = 1032
# Pixels that one byte of a PNG can hold, at 1 bit per pixel.
MAX_PIXELS_PER_BYTE = 8
START_OF_SCAN = b"\xff\xda"
# Scans of a JPEG of the largest size. Progressive files have about ten, and each takes as long as a plain file.
MAX_SCANS = 8
# Pillow would inflate up to 64 MB of a PNG's texts, which the service never reads.
MAX_TEXT_BYTES = 2**22
EXIF_ORIENTATION = 0x0112
# About how long a byte of a plain PNG takes to decode.
MICROSECONDS_PER_BYTE = 0.01
COLOURS = {"1": "1-bit", "L": "grey", "LA": "grey", "RGBA": "RGB", "P": "palette", "PA": "palette"}


class Source(NamedTuple):
    """A file that came in: where in the request, and its media type, None if that is for its content to tell."""

    where: str
    data: bytes
    media: str | None


def limit_pillow() -> None:
    """Set the limits of Pillow that are global, for a process that decodes files of strangers."""
    PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES


class PixelBudget:
    """How many pixels the images of one request may still have."""

    def __init__(self, limit: int) -> None:
        self.limit = self._left = limit

    def take(self, where: str, width: int, height: int, frames: int) -> None:
        """Take the pixels of one frame; raises Problem 413 unless there are enough for ``frames`` of this size."""
        if width * height * frames > self._left:
            size = f"{width}x{height}" + (f" x {frames} frames" if frames > 1 else "")
            message = f"{where}: {size} pixels; all images of a request may have {self.limit} together"
            raise Problem(413, message, where=where)
        self._left -= width * height


def decode_images(
    sources: list[Source], spec: ImageSpec, max_items: int, max_pixels: int
) -> tuple[Float32, list[list[str]]]:
    """Images [N, C, H, W] in 0..1 as the model takes them, and how each one was converted.

    Each frame of an animation and each image of an array counts. All together may have ``max_pixels``. Raises Problem
    400, 413 or 422.
    """
    images: list[NDArray[Any]] = []
    notes: list[list[str]] = []
    budget = PixelBudget(max_pixels)
    for source in sources:
        for image, converted in _decode(source, spec, max_items, budget):
            images.append(image)
            notes.append(converted)
            if len(images) > max_items:
                raise Problem(413, f"more than {max_items} images", limit=max_items)
    return to_batch(images, spec), notes


def plain_images(sources: list[Source], spec: ImageSpec, max_pixels: int) -> Float32 | None:
    """Images [N, C, H, W] in 0..1 of PNG files exactly as the model takes them; None if any file is another."""
    if len(sources) * spec.width * spec.height > max_pixels:
        return None
    images = []
    for source in sources:
        image = png.decode(source.data, spec.shape) if source.media in (None, "image/png", "image/apng") else None
        if image is None:
            return None
        images.append(image)
    return to_batch(images, spec)


def to_batch(images: list[NDArray[Any]], spec: ImageSpec) -> Float32:
    """Images [N, C, H, W] of 0..1 from images [H, W, C] of 0..255 as uint8 or of 0..1 as float32."""
    batch = np.empty((len(images), spec.channels, spec.height, spec.width), np.float32)
    for image, place in zip(images, batch, strict=True):
        planes = image.transpose(2, 0, 1)
        if image.dtype == np.uint8:
            np.divide(planes, np.float32(255), out=place)
        else:
            place[...] = planes
    return batch


def _decode(
    source: Source, spec: ImageSpec, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[Any], list[str]]]:
    media = source.media or sniff(source)
    if media == NPY:
        yield from _array(source, spec, max_items, budget)
    elif (pillow_format := PILLOW_FORMATS[media]) == "PNG" and (image := _plain_png(source, spec)) is not None:
        budget.take(source.where, spec.width, spec.height, 1)
        yield image, []
    else:
        yield from _frames(source, pillow_format, spec, max_items, budget)


def _plain_png(source: Source, spec: ImageSpec) -> NDArray[np.uint8] | None:
    """The image of a PNG exactly as the model takes it; None for another. Raises Problem 413 for too many chunks."""
    if not png.few_chunks(source.data):
        message = f"{source.where}: a PNG of more than {png.MAX_CHUNKS} chunks"
        raise Problem(413, message, where=source.where, limit=png.MAX_CHUNKS)
    return png.decode(source.data, spec.shape)


def _array(
    source: Source, spec: ImageSpec, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[Any], list[str]]]:
    for array in read_array(source.data, source.where, max_items, budget.limit):
        if array.shape == spec.shape:
            yield array, []
        elif array.dtype == np.uint8:
            yield fit(_picture(array), spec)
        else:
            image, notes = fit(_picture(np.rint(255 * array).astype(np.uint8)), spec)
            yield image, ["rounded to 8 bits", *notes]


def sniff(source: Source) -> str:
    """The media type that a file's first bytes tell; raises Problem 400 if it is none that is accepted."""
    data = source.data
    for magic, media in (
        (png.SIGNATURE, "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"\x93NUMPY", NPY),
    ):
        if data.startswith(magic):
            return media
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise Problem(
        400, f"{source.where}: not an image; accepts {', '.join(FILE_TYPES)}", where=source.where, accepted=FILE_TYPES
    )


def _frames(
    source: Source, pillow_format: str, spec: ImageSpec, max_items: int, budget: PixelBudget
) -> Iterator[tuple[NDArray[np.uint8], list[str]]]:
    """Frames [H, W, C] of an image file. A file that Pillow's strict decoder refuses is damaged."""
    where = source.where
    try:
        with Image.open(BytesIO(source.data), formats=[pillow_format]) as image:
            # Further pictures in a JPEG are previews. The default image of an APNG is no frame of its animation.
            count = 1 if pillow_format == "JPEG" else _frame_count(image, max_items + 2)
            first = int(getattr(image, "default_image", False))
            if count - first > max_items:
                raise Problem(413, f"{where}: {count - first} frames; accepts at most {max_items}", where=where)
            for index in range(count):
                image.seek(index)
                # For each frame again, as a later frame of a GIF may be larger.
                budget.take(where, image.width, image.height, count - index)
                _check_effort(image, source, budget.limit)
                image.load()
                if index >= first:
                    yield fit(image, spec)
    except Problem:
        raise
    except Image.DecompressionBombError:
        message = f"{where}: a huge image; accepts at most {budget.limit} pixels"
        raise Problem(413, message, where=where) from None
    except Exception as error:  # decoders raise almost any exception on damaged files
        name = pillow_format if source.data else "image: it is empty"
        raise Problem(400, f"{where}: damaged, or no {name} ({type(error).__name__})", where=where) from None


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


def _check_effort(image: Image.Image, source: Source, max_pixels: int) -> None:
    """Raise a Problem for a file that takes memory or time out of proportion.

    It is 400 for more pixels than the file's bytes can hold, and 413 for too many scans of a large image.
    """
    size = image.width * image.height
    if image.format == "PNG" and size // MAX_PIXELS_PER_BYTE > MAX_DEFLATE_RATIO * len(source.data):
        raise Problem(400, f"{source.where}: damaged: no {image.width}x{image.height} pixels", where=source.where)
    scans = source.data.count(START_OF_SCAN) if image.format == "JPEG" else 1
    if size * scans > MAX_SCANS * max_pixels:
        message = f"{source.where}: {scans} scans of {image.width}x{image.height} pixels"
        raise Problem(413, message, where=source.where)


def fit(image: Image.Image, spec: ImageSpec) -> tuple[NDArray[np.uint8], list[str]]:
    """An image as the model's [H, W, C], and how it was converted.

    Resizing averages the area that a pixel covers, or repeats pixels when it enlarges (Pillow's BOX); it does not keep
    the aspect ratio. Colour becomes grey by ITU-R 601 luma. Alpha is composited on black where the model has none.
    """
    notes = []
    image, turned = _upright(image)
    if turned:
        notes.append("turned by its EXIF orientation")
    if image.mode.startswith("I"):
        notes.append("16 bits to 8")
        image = _picture(np.rint(np.clip(np.asarray(image), 0, 65535) / 257).astype(np.uint8)[:, :, None])
    target = png.MODES[spec.channels]
    colour, wanted = (COLOURS.get(mode, mode) for mode in (image.mode, target))
    alpha = image.has_transparency_data
    image = image.convert("RGBA" if alpha else target) if alpha or image.mode != target else image
    if image.size != (spec.width, spec.height):
        notes.append(f"resized {image.width}x{image.height} to {spec.width}x{spec.height}")
        image = image.resize((spec.width, spec.height), Image.Resampling.BOX)
    if alpha and target != "RGBA":
        notes.append("alpha composited on black")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image).convert(target)
    elif target == "RGBA" and not alpha:
        notes.append("opaque alpha added")
    if colour != wanted:
        notes.append(f"{colour} to {wanted}")
    return np.asarray(image).reshape(spec.shape), notes


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    try:
        if image.getexif().get(EXIF_ORIENTATION, 1) not in range(2, 9):
            return image, False
        return ImageOps.exif_transpose(image), True
    except Exception:  # unreadable metadata does not make the pixels wrong
        return image, False


def _picture(array: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)

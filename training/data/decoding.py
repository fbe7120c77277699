"""From a listing's pictures to one array of images, in memory or in the cache."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from attributes import CHANNEL_MODES
from training.data.array_pictures import ArrayPictures
from training.data.dataset import DataError
from training.data.faults import Faults
from training.data.listing import Listing
from training.data.pictures import FORMATS, Picture, channels_of
from training.data.pixel_cache import Decoded, PixelCache
from training.data.reading import Reading
from training.data.sizes import Size, fitted, target_size

# Smaller sets are decoded into memory each time.
MIN_CACHED_BYTES = 2**25
# Bytes of the cache that are looked at together.
CHUNK = 2**24
# Another number when images are decoded otherwise than before.
VERSION = 1


class _Form(NamedTuple):
    """What all images have in common, and the rows that could be measured."""

    size: Size
    channels: int
    rows: list[int]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.size[1], self.size[0], self.channels


def decode(listing: Listing, reading: Reading, faults: Faults) -> Decoded:
    """All images, with as many channels as the one that needs most; the colour of what is transparent is 0.

    Pictures that can't be read are faults. Raises DataError if images have several sizes and no ``fit`` is given.
    """
    pictures = listing.pictures
    cache = PixelCache()
    key = _key(listing, reading)
    if found := cache.load(key):
        _report_left_out(found, listing, faults)
        return found
    if isinstance(pictures, ArrayPictures):
        target_size(Counter([(pictures.shape[1], pictures.shape[0])]), "", pictures.where)
        shape, count = pictures.shape, len(pictures)
    else:
        form = _measure(pictures, listing.source, reading, faults)
        shape, count = form.shape, len(form.rows)

    def write(file: IO[bytes]) -> tuple[tuple[int, ...], NDArray[np.intp]]:
        if isinstance(pictures, ArrayPictures):
            return _write_array(file, pictures)
        return _write_pictures(file, pictures, form, reading, faults)

    size = count * int(np.prod(shape))
    if size >= MIN_CACHED_BYTES:
        return cache.store(key, size, write)
    memory = io.BytesIO()
    whole, rows = write(memory)
    return Decoded(np.frombuffer(memory.getbuffer(), np.uint8).reshape(whole), rows)


def _key(listing: Listing, reading: Reading) -> str:
    """What changes when any of the images does."""
    pictures = listing.pictures
    identities = [pictures.identity] if isinstance(pictures, ArrayPictures) else (each.identity for each in pictures)
    digest = hashlib.sha256(json.dumps([VERSION, listing.source, reading.given]).encode())
    for identity in identities:
        digest.update(f"{identity}\n".encode())
    return digest.hexdigest()[:32]


def _report_left_out(decoded: Decoded, listing: Listing, faults: Faults) -> None:
    if left_out := len(listing.pictures) - len(decoded.rows):
        faults.report(f"{listing.source}: {left_out:,} images can't be read, as was found when they were decoded")


def _measure(pictures: Sequence[Picture], source: str, reading: Reading, faults: Faults) -> _Form:
    """Sizes and channels of all pictures, by their headers."""
    sizes: Counter[Size] = Counter()
    rows, channels = [], 1
    with tqdm(pictures, desc="image headers", leave=False) as progress:
        for row, picture in enumerate(progress):
            with _reported(picture, faults), picture.open() as image:
                _check(picture, image)
                sizes[image.size] += 1
                channels = max(channels, channels_of(image))
                rows.append(row)
    if not rows:
        raise DataError(f"{source}: no image can be read")
    return _Form(target_size(sizes, reading.fit, source), channels, rows)


def _check(picture: Picture, image: Image.Image) -> None:
    """Raise DataError for an image of more than 8 bits, or of several frames."""
    if image.mode[0] in "IF":
        raise DataError(f"{picture.where}: {picture.name!r} has {image.mode} pixels; make them 8 bits per channel")
    if getattr(image, "is_animated", False):
        raise DataError(
            f"{picture.where}: {picture.name!r} is an animation; --frames makes an image of each of its frames"
        )


@contextmanager
def _reported(picture: Picture, faults: Faults) -> Iterator[None]:
    """Make a fault of any error while a picture is used."""
    try:
        yield
    except DataError as error:
        faults.report(str(error))
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and more
        faults.report(f"{picture.where}: {picture.name!r} is damaged, or not one of {', '.join(FORMATS)} ({error})")


def _write_pictures(
    file: IO[bytes], pictures: Sequence[Picture], form: _Form, reading: Reading, faults: Faults
) -> tuple[tuple[int, ...], NDArray[np.intp]]:
    mode = CHANNEL_MODES[form.channels]
    kept = []
    with tqdm(form.rows, desc="images", leave=False) as progress:
        for row in progress:
            with _reported(pictures[row], faults), pictures[row].open() as image:
                pixels = np.array(fitted(image.convert(mode), form.size, reading.fit)).reshape(form.shape)
                if form.channels == 4:
                    pixels[pixels[..., 3] == 0] = 0
                file.write(pixels.data)
                kept.append(row)
    return (len(kept), *form.shape), np.array(kept, np.intp)


def _write_array(file: IO[bytes], pictures: ArrayPictures) -> tuple[tuple[int, ...], NDArray[np.intp]]:
    """Bytes of 0 and 1 only, as dSprites has them, become 0 and 255."""
    most = 0
    with tqdm(total=len(pictures), desc="images", leave=False) as progress:
        for block in pictures.blocks():
            most = max(most, int(block.max()))
            pixels = np.array(block, order="C")
            if pixels.shape[3] == 4:
                pixels[pixels[..., 3] == 0] = 0
            file.write(pixels.data)
            progress.update(len(block))
    if most == 1:
        _multiply(file, 255)
    return (len(pictures), *pictures.shape), np.arange(len(pictures))


def _multiply(file: IO[bytes], factor: int) -> None:
    """Multiply all bytes of a file, where they stand."""
    file.seek(0)
    while chunk := file.read(CHUNK):
        file.seek(-len(chunk), io.SEEK_CUR)
        file.write((np.frombuffer(chunk, np.uint8) * np.uint8(factor)).data)

"""What decoding the image files of one request may cost."""

from __future__ import annotations

from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from service.codecs import avif, parts
from service.codecs.errors import ImageError

# Bytes that one byte of a deflate stream can stand for (https://zlib.net/zlib_tech.html).
MAX_DEFLATE_RATIO = 1032
# Pixels that one byte of a PNG can hold, at 1 bit per pixel.
MAX_PIXELS_PER_BYTE = 8
# Scans of JPEGs and frames of an AVIF of the largest size. Progressive files have about ten, and each takes as long as
# a plain file.
MAX_SCANS = 8
# Pixels of other files that take as long as a byte of a BMP's run lengths: Pillow reads 1 MB of these a second.
PIXELS_PER_RUN_LENGTH_BYTE = 16


class PixelBudget:
    """How many pixels the images of one request may still have."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit
        self._scanned_left = MAX_SCANS * limit

    def take(self, where: str, width: int, height: int, frames: int) -> None:
        """Take the pixels of one frame; raises ImageError 413 unless there are enough for ``frames`` of this size."""
        if width * height * frames > self.left:
            size = f"{width}x{height}" + (f" x {frames} frames" if frames > 1 else "")
            message = f"{where}: {size} pixels; all images of a request may have {self.limit} together"
            raise ImageError(413, message, where=where)
        self.left -= width * height

    def take_run_lengths(self, where: str, size: int) -> None:
        """Take what this many bytes of run lengths cost; raises ImageError 413 unless there is enough."""
        if size * PIXELS_PER_RUN_LENGTH_BYTE > self.left:
            most = self.limit // PIXELS_PER_RUN_LENGTH_BYTE
            message = (
                f"{where}: {size} bytes of run lengths; accepts at most {most}, less for other images of a request"
            )
            raise ImageError(413, message, where=where)
        self.left -= size * PIXELS_PER_RUN_LENGTH_BYTE

    def take_scans(self, where: str, scans: int, width: int, height: int) -> None:
        """Take the pixels that a JPEG's scans go over; raises ImageError 413 unless there are enough."""
        if scans * width * height > self._scanned_left:
            message = (
                f"{where}: {scans} scans of {width}x{height} pixels; all scans of a request may go over "
                f"{MAX_SCANS * self.limit} together"
            )
            raise ImageError(413, message, where=where)
        self._scanned_left -= scans * width * height


def check_parts(data: bytes, where: str, pillow_format: str) -> None:
    """Raise ImageError 413 for an image file of more parts than sensible ones have."""
    try:
        parts.check_parts(data, pillow_format)
    except parts.TooManyPartsError as error:
        raise ImageError(413, f"{where}: {pillow_format} of {error}", where=where, limit=error.limit) from None


def check_effort(image: ImageFile, data: bytes, where: str, budget: PixelBudget) -> None:
    """Raise a ImageError for an image file that takes memory or time out of proportion.

    It is 400 for more pixels than the file's bytes can hold, and 413 for too many scans of a large image, or too many
    run lengths.
    """
    size = image.width * image.height
    if image.format == "PNG" and size // MAX_PIXELS_PER_BYTE > MAX_DEFLATE_RATIO * len(data):
        raise ImageError(400, f"{where}: damaged: no {image.width}x{image.height} pixels", where=where)
    if image.format == "BMP" and image.tile[0].codec_name == "bmp_rle":
        budget.take_run_lengths(where, len(data))
    if isinstance(image, JpegImageFile):  # what is one by its decoder: with further pictures in it, its format is MPO
        budget.take_scans(where, parts.count_scans(data), image.width, image.height)


def check_avif(data: bytes, where: str, budget: PixelBudget) -> None:
    """Raise ImageError 413 for an AVIF whose frames are larger, or far more, than its pixels; 400 for a damaged one."""
    try:
        pixels, frames = avif.cost(data)
    except ValueError as error:
        raise ImageError(400, f"{where}: damaged, or no AVIF: {error}", where=where) from None
    if pixels > budget.limit or pixels * frames > MAX_SCANS * budget.limit:
        message = f"{where}: AV1 of {frames} frames of up to {pixels} pixels; accepts at most {budget.limit} pixels"
        raise ImageError(413, message, where=where)

"""Pictures of a dataset before they are decoded: files, regions of a sheet, frames of an animation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import ClassVar, Protocol

from PIL import Image, ImageOps

from attributes import CHANNEL_MODES
from training.data.dataset import DataError
from training.data.files import Files

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp")


class Picture(Protocol):
    """A picture that can be opened."""

    @property
    def name(self) -> str:
        """Its name in the data."""

    @property
    def where(self) -> str:
        """The file, and the row or frame in it, for messages."""

    @property
    def identity(self) -> str:
        """What tells it from other pictures: its file, that file's state, and where in it the picture lies."""

    def open(self) -> Image.Image:
        """The picture, turned upright; raises almost any exception if it is damaged."""


def is_picture(name: str) -> bool:
    """Whether a file's name is that of a picture."""
    return name.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file of its own."""

    files: Files
    file: str
    """Its name among the files."""
    name: str
    """As the table has it."""
    where: str

    @property
    def identity(self) -> str:
        """The file and its state."""
        return f"{self.file} {self.files.state(self.file)}"

    def open(self) -> Image.Image:
        """The picture, turned upright."""
        return open_upright(self.files.read(self.file))


def open_upright(data: bytes) -> Image.Image:
    """The picture in the bytes of a file, turned upright as its EXIF says; raises almost any exception."""
    image = Image.open(BytesIO(data), formats=FORMATS)
    ImageOps.exif_transpose(image, in_place=True)
    return image


class Sheet:
    """A file that many pictures are cut out of; it is read when the first of them is."""

    def __init__(self, files: Files, file: str) -> None:
        self.files, self.file = files, file

    @property
    def where(self) -> str:
        """The file, for messages."""
        return str(self.files.path / self.file)

    @cached_property
    def identity(self) -> str:
        """The file and its state."""
        return f"{self.file} {self.files.state(self.file)}"

    @cached_property
    def image(self) -> Image.Image:
        """The whole sheet as L, RGB or RGBA; raises DataError if it can't be read."""
        try:
            image = open_upright(self.files.read(self.file))
            if getattr(image, "is_animated", False):
                raise DataError(f"{self.where}: a sheet can't be an animation")
            if image.mode[0] in "IF":
                raise DataError(f"{self.where}: has {image.mode} pixels; make them 8 bits per channel")
            return image.convert(CHANNEL_MODES[channels_of(image)])
        except DataError:
            raise
        except Exception as error:  # Pillow's decoders raise almost any exception
            raise DataError(
                f"{self.where}: the sheet is missing, damaged, or not one of {', '.join(FORMATS)} ({error})"
            ) from error


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a sheet."""

    sheet: Sheet
    box: tuple[int, int, int, int]
    """Left, top, right and bottom edge in pixels of the sheet."""
    name: str
    where: str
    rotated: bool = False
    """Whether it lies in the sheet turned by 90 degrees clockwise."""
    offset: tuple[int, int] = (0, 0)
    """Where it begins in the whole picture, whose transparent border was trimmed: x, y."""
    size: tuple[int, int] | None = None
    """Width and height of the whole picture, where it was trimmed."""

    @property
    def identity(self) -> str:
        """The sheet and all that says where in it the picture lies."""
        return f"{self.sheet.identity} {self.box} {self.rotated} {self.offset} {self.size}"

    def check(self) -> None:
        """Raise DataError if it lies outside its sheet."""
        sheet = self.sheet.image
        left, top, right, bottom = self.box
        if not (0 <= left < right <= sheet.width and 0 <= top < bottom <= sheet.height):
            raise DataError(
                f"{self.where}: {self.name!r} lies at x {left} to {right}, y {top} to {bottom}, outside its sheet "
                f"{self.sheet.file!r} of {sheet.width} x {sheet.height} (width x height)"
            )
        if self.size is not None:
            width, height = (bottom - top, right - left) if self.rotated else (right - left, bottom - top)
            x, y = self.offset
            if not (0 <= x <= x + width <= self.size[0] and 0 <= y <= y + height <= self.size[1]):
                raise DataError(
                    f"{self.where}: {self.name!r} of {width} x {height} at {x}, {y} does not lie within its whole "
                    f"picture of {self.size[0]} x {self.size[1]} (width x height)"
                )

    def open(self) -> Image.Image:
        """The picture, with its transparent border."""
        part = self.sheet.image.crop(self.box)
        if self.rotated:
            part = part.transpose(Image.Transpose.ROTATE_90)
        if self.size is None or (self.size == part.size and self.offset == (0, 0)):
            return part
        whole = Image.new("RGBA", self.size)
        whole.paste(part.convert("RGBA"), self.offset)
        return whole


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of an animation."""

    animation: Animation
    number: int

    @property
    def name(self) -> str:
        """The animation's name and the frame's number."""
        return f"{self.animation.picture.name}, frame {self.number}"

    @property
    def where(self) -> str:
        """That of the animation."""
        return self.animation.picture.where

    @property
    def identity(self) -> str:
        """The animation and the frame's number."""
        return f"{self.animation.picture.identity} {self.number}"

    def open(self) -> Image.Image:
        """The whole frame as it is shown."""
        image = self.animation.image
        image.seek(self.number)
        return image.copy()


class Animation:
    """A picture with several frames. The file of the animation that was used last stays open: its frames follow."""

    _last: ClassVar[Animation | None] = None

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self._opened: Image.Image | None = None

    @property
    def image(self) -> Image.Image:
        """The opened file."""
        if Animation._last is not self:
            if Animation._last is not None:
                Animation._last._opened = None
            Animation._last = self
        if self._opened is None:
            self._opened = self.picture.open()
        return self._opened


def channels_of(image: Image.Image) -> int:
    """The number of channels that a picture needs: 1, 3 or 4."""
    if image.has_transparency_data:
        return 4
    return 1 if image.mode in ("1", "L") else 3

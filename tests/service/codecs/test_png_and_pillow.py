"""PNG files of every kind, good and odd: the fast decoder and Pillow agree on each."""

from __future__ import annotations

import struct
import zlib
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.codecs import png
from service.codecs.batch import to_batch
from service.codecs.decode import Source, decode_images
from service.codecs.errors import ImageError
from service.codecs.png import Shape

Verdict = tuple[bytes, list[list[str]]] | int


METADATA = [
    (b"gAMA", bytes(4)),
    (b"gAMA", bytes(3)),
    (b"cHRM", bytes(32)),
    (b"pHYs", bytes(8)),
    (b"pHYs", bytes(9)),
    (b"sRGB", b""),
    (b"sRGB", b"\x01"),
    (b"sBIT", b"\x05"),
    (b"bKGD", b"\0\x01"),
    (b"tIME", bytes(7)),
    (b"iCCP", b"name\0\0" + zlib.compress(b"profile")),
    (b"iCCP", b"name\0\x01"),
    (b"tEXt", b"Software\0spritevae"),
    (b"tEXt", b"interlace\0yes"),
    (b"tEXt", b"transparency\0yes"),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"text")),
    (b"zTXt", b"Comment\0\x01"),
    (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation='6'/>"),
    (b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    (b"tRNS", b"\0\x01"),
    (b"tRNS", bytes(6)),
    (b"PLTE", bytes(768)),
    (b"acTL", struct.pack(">II", 1, 0)),
    (b"acTL", struct.pack(">II", 2, 0)),
    (b"fcTL", struct.pack(">IIIIIHHBB", 0, 28, 28, 0, 0, 1, 10, 0, 0)),
    (b"abcd", b"private"),
    (b"ABCD", b"critical"),
    (b"IEND", b""),
    (b"IDAT", b""),
    (b"IHDR", bytes(13)),
    (b"\xff\0\0\0", b""),
]


ODDITIES = ["header", "filter", "rows", "end", "bit", "metadata", "checksum", "file"]


HEADERS = [  # height, bits, colour type, compression, filters, interlace
    *[(28, 8, colour, 0, 0, 0) for colour in (0, 2, 3, 4, 6, 7)],
    *[(28, bits, 0, 0, 0, 0) for bits in (0, 1, 4, 16)],
    *[(29, 8, 0, 0, 0, 0), (0, 8, 0, 0, 0, 0), (28, 8, 0, 1, 0, 0), (28, 8, 0, 0, 1, 0), (28, 8, 0, 0, 0, 1)],
]


@st.composite
def streams(draw: st.DrawFn, channels: int, odd: set[str]) -> bytes:
    """A zlib stream of the rows of an image 28x28, as good as ``odd`` allows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.integers(0, draw(st.sampled_from([2, 16, 256])), (28, 1 + 28 * channels), np.uint8)
    rows[:, 0] = rng.integers(0, 5, 28) if draw(st.booleans()) else draw(st.integers(0, 4))
    if "filter" in odd:
        rows[draw(st.integers(0, 27)), 0] = draw(st.integers(5, 255))
    data = rows.tobytes()
    if "rows" in odd:
        data = draw(st.sampled_from([b"", data[:-1], data[: 5 * rows.shape[1]], data + b"\0", data * 9]))
    level, window, strategy = draw(st.integers(0, 9)), draw(st.integers(9, 15)), draw(st.integers(0, 4))
    deflate = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    cut = draw(st.integers(0, len(data)))
    stream = deflate.compress(data[:cut]) + deflate.flush(zlib.Z_SYNC_FLUSH) + deflate.compress(data[cut:])
    stream += deflate.flush()
    if "end" in odd:
        stream = draw(
            st.sampled_from([stream[:-1], stream[:-4], stream[:-5], stream[:-50], stream + b"\0", stream * 2])
        )
    return flip(draw, stream) if "bit" in odd else stream


@st.composite
def files(draw: st.DrawFn) -> tuple[int, bytes]:
    """The channels of a model, and a file that suits it or is odd in up to two ways."""
    channels = draw(st.sampled_from([1, 3, 4]))
    odd = draw(st.sets(st.sampled_from(ODDITIES), max_size=2))
    stream = draw(streams(channels, odd))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=3)))
    chunks = [(b"IDAT", stream[a:b]) for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    if "metadata" in odd:
        for extra in draw(st.lists(st.sampled_from(METADATA), min_size=1, max_size=2)):
            chunks.insert(draw(st.sampled_from([0, 0, len(chunks), len(chunks) // 2])), extra)
    usual = (28, 8, png.COLOUR_TYPES[channels], 0, 0, 0)
    header = draw(st.sampled_from(HEADERS)) if "header" in odd else usual
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 28, *header)), *chunks, (b"IEND", b"")]
    made = [png.chunk(kind, part) for kind, part in parts]
    if "checksum" in odd:
        place = draw(st.integers(0, len(made) - 1))
        made[place] = made[place][:-4] + flip(draw, made[place][-4:])
    data = png.SIGNATURE + b"".join(made)
    if "file" in odd:
        cut = draw(st.sampled_from([draw(st.integers(0, len(data))), len(data) - 12, len(data) - 4, len(data) - 1]))
        data = draw(st.sampled_from([data[:cut], flip(draw, data), data + b"trailing", data + png.END]))
    return channels, data


def flip(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one bit changed."""
    place = draw(st.integers(0, len(data) - 1))
    return data[:place] + bytes([data[place] ^ 1 << draw(st.integers(0, 7))]) + data[place + 1 :]


def verdict(data: bytes, shape: Shape) -> Verdict:
    """The pixels and what was converted, or the status of the refusal."""
    try:
        images, converted = decode_images([Source("the body", data, "image/png")], shape, 4, 2**14)
    except ImageError as error:
        return error.status
    return to_batch(images, shape).tobytes(), converted


@settings(max_examples=1000, deadline=None)
@given(files())
@pytest.mark.filterwarnings("ignore")
def test_both_ways_of_reading_give_the_same_verdict_and_the_same_pixels(made: tuple[int, bytes]):
    channels, data = made
    shape = (28, 28, channels)
    with patch.object(png, "decode", return_value=None):
        by_pillow_alone = verdict(data, shape)
    assert verdict(data, shape) == by_pillow_alone

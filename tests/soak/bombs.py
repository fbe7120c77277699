"""Small requests that would take much memory or time if they were believed."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import struct
import zlib
from collections.abc import Callable
from itertools import repeat

from PIL import Image

from service.settings import Settings
from tests.soak.client import request
from tests.soak.png import MEGABYTE, black, chunk, png, zeros

HUGE = 30_000
"""Side of a square of far more pixels than a request may have."""
WITHIN = math.isqrt(Settings.model_fields["max_pixels"].default) // 8 * 8
"""Side of one of as many as it may have."""
IDAT = chunk(b"IDAT", black())
INFER = "/v2/models/dsprites/infer"


def encode(data: bytes, media: str = "image/png") -> bytes:
    """A request to /encode."""
    return request("POST", "/encode", data, content_type=media)


def post(path: str, text: bytes, **headers: str) -> bytes:
    """A request whose body is JSON, well-formed or not."""
    return request("POST", path, text, content_type="application/json", **headers)


def _idat_by_idat() -> bytes:
    data = black(HUGE, HUGE, 1)[:50_000]
    return png(*(chunk(b"IDAT", data[i : i + 1]) for i in range(len(data))), width=HUGE, height=HUGE, bits=1)


def _gif(side: int, frames: int) -> bytes:
    """Frames of one pixel on a large canvas (GIF89a)."""
    screen = b"GIF89a" + struct.pack("<HH", side, side) + b"\x80\0\0" + bytes(6)
    frame = b"\x21\xf9\4\0\1\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"
    return screen + frame * frames + b"\x3b"


def _webp(side: int, frames: int) -> bytes:
    """Frames of two pixels on a large canvas (RFC 9649)."""
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "WEBP", lossless=True)
    place = bytes(6) + b"\1\0\0" + b"\1\0\0" + b"\x0a\0\0" + b"\0"
    canvas = struct.pack("<I", side - 1)[:3] * 2
    parts = _riff(b"VP8X", b"\2\0\0\0" + canvas) + _riff(b"ANIM", bytes(6))
    return _riff(b"RIFF", b"WEBP" + parts + _riff(b"ANMF", place + out.getvalue()[12:]) * frames)


def _riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _jpeg(side: int, *, progressive: bool = False) -> tuple[bytearray, int]:
    """A black JPEG that says it has another size, and where its frame header begins (ITU-T T.81, B.2.2)."""
    out = io.BytesIO()
    Image.new("L", (16, 16)).save(out, "JPEG", progressive=progressive)
    data = bytearray(out.getvalue())
    at = data.find(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return data, at


def _commented(comments: int) -> bytes:
    data, _ = _jpeg(16)
    return bytes(data[:2]) + b"\xff\xfe\0\2" * comments + bytes(data[2:])


def _scans(side: int, scans: int) -> bytes:
    """A progressive JPEG that goes over all its blocks again and again, and says nothing (ITU-T T.81, G.1.2)."""
    data, at = _jpeg(side, progressive=True)
    # The one symbol of the table: a run of 2^14 blocks and as many as 14 bits say, in which nothing changes.
    table = b"\xff\xc4" + struct.pack(">HB", 20, 0x10) + bytes([1, *repeat(0, 15)]) + b"\xe0"
    bits = ("0" + "1" * 14) * -(-((side // 8) ** 2) // 32767)
    bits += "1" * (-len(bits) % 8)
    runs = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda" + struct.pack(">HBBB", 8, 1, data[at + 10], 0) + b"\1\x3f\0" + runs
    return bytes(data[: data.find(b"\xff\xda")]) + table + scan * scans + b"\xff\xd9"


def _npy(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}\n".encode()
    return b"\x93NUMPY\2\0" + struct.pack("<I", len(header)) + header


def _nested_base64() -> bytes:
    data = png(IDAT)
    for _ in range(30):
        data = json.dumps({"images": [base64.b64encode(data).decode()]}).encode()
    return data


def _parts(head: bytes, number: int) -> bytes:
    part = b"--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n" + head + b"\r\n\r\n"
    return encode(part * number + b"--x--\r\n", "multipart/form-data; boundary=x")


def _tensor(shape: list[int]) -> bytes:
    tensor = {"name": "weights", "datatype": "FP32", "shape": shape, "data": [0]}
    return json.dumps({"inputs": [tensor]}).encode()


BOMBS: dict[str, Callable[[], bytes]] = {
    "PNG of 30,000 x 30,000 zeros": lambda: encode(
        png(chunk(b"IDAT", black(HUGE, HUGE, 1)), width=HUGE, height=HUGE, bits=1)
    ),
    "the same in 50,000 chunks of a byte": lambda: encode(_idat_by_idat()),
    "PNG that has none of as many pixels as may be": lambda: encode(
        png(chunk(b"IDAT", zlib.compress(b"")), width=WITHIN, height=WITHIN)
    ),
    "PNG with a text of 100 MB": lambda: encode(png(chunk(b"zTXt", b"x\0\0" + zeros(100 * MEGABYTE)), IDAT)),
    "PNG with 100 texts of 1 MB": lambda: encode(
        png(*(chunk(b"zTXt", b"%d\0\0" % index + zeros(MEGABYTE - 1)) for index in range(100)), IDAT)
    ),
    "PNG with a colour profile of 100 MB": lambda: encode(png(chunk(b"iCCP", b"x\0\0" + zeros(100 * MEGABYTE)), IDAT)),
    "APNG of 2^31 - 1 frames": lambda: encode(
        png(chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), IDAT), "image/apng"
    ),
    "GIF of 100,000 frames": lambda: encode(_gif(64, 100_000), "image/gif"),
    "GIF of 65,535 x 65,535, frames of a pixel": lambda: encode(_gif(65_535, 2), "image/gif"),
    "GIF of as many pixels as may be, 200 frames of one": lambda: encode(_gif(WITHIN, 200), "image/gif"),
    "WebP of 50,000 frames": lambda: encode(_webp(64, 50_000), "image/webp"),
    "WebP of 16,383 x 16,383, one frame of a pixel": lambda: encode(_webp(16_383, 1), "image/webp"),
    "JPEG of 65,500 x 65,500": lambda: encode(bytes(_jpeg(65_500)[0]), "image/jpeg"),
    "progressive JPEG of as many pixels as may be, 200 scans": lambda: encode(_scans(WITHIN, 200), "image/jpeg"),
    "JPEG of 2 MB of empty comments": lambda: encode(_commented(500_000), "image/jpeg"),
    "npy of 2^40 images": lambda: encode(_npy("1099511627776, 64, 64"), "application/x-npy"),
    "npy whose header is 1 MB of brackets": lambda: encode(_npy("(" * MEGABYTE), "application/x-npy"),
    "base64 in JSON, 30 times": lambda: post("/encode", _nested_base64()),
    "multipart of 20,000 files": lambda: _parts(b"", 20_000),
    "multipart with 200,000 headers": lambda: _parts(b"a: b\r\n" * 200_000, 1),
    "JSON nested a million times": lambda: post("/decode", b'{"attributes": ' + b"[" * MEGABYTE),
    "JSON nested a million times, /v2": lambda: post(INFER, b'{"inputs": ' + b"[" * MEGABYTE),
    "JSON of 500,000 items": lambda: post("/decode", b'{"attributes": [' + b"{}," * 500_000 + b"{}]}"),
    "JSON of 500,000 key frames": lambda: post("/interpolate", b'{"keyframes": [' + b"{}," * 500_000 + b"{}]}"),
    "gzip of 200 MB": lambda: post(INFER, gzip.compress(bytes(200 * MEGABYTE)), content_encoding="gzip"),
    "tensor of 2^40 items": lambda: post(INFER, _tensor([2**40, 113])),
}
"""All must be refused."""
LARGEST: dict[str, Callable[[], bytes]] = {
    "PNG, grey": lambda: _largest("L", "PNG"),
    "PNG, RGBA": lambda: _largest("RGBA", "PNG"),
    "WebP, lossless": lambda: _largest("RGB", "WEBP", lossless=True, method=0),
    "JPEG, progressive": lambda: encode(_scans(WITHIN, 8), "image/jpeg"),
}
"""Images of as many pixels as a request may have; they are no bombs."""


def _largest(mode: str, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (WITHIN, WITHIN)).save(out, form, **options)
    return encode(out.getvalue(), f"image/{form.lower()}")

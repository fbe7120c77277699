"""Files in base64, as clients write it: plain, with - and _, without padding, in lines, or as a data URI."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Mapping

from service.codecs.decode import Source
from service.problems import Problem
from service.threads import in_thread_if_long

ACCEPTED = "base64, with + and / or with - and _, padded or not, on one line or more, or a data URI of it"
# About how long a byte of plain base64 takes to read. Other forms take two to five times as long.
MICROSECONDS_PER_BYTE = 0.005
DATA = "data:"
SPACE = b" \t\r\n"
KNOWN = (string.ascii_letters + string.digits + "+/-_=").encode() + SPACE
TO_STANDARD = bytes.maketrans(b"-_", b"+/")
SPACE_WITHIN_A_LINE = re.compile(rb"[ \t](?<=[^ \t\r\n][ \t])[ \t]*+[^\r\n]")


async def base64_sources(texts: Mapping[str, str]) -> list[Source]:
    """The files in base64 texts, by where in the request each is; raises Problem 400."""
    size = sum(map(len, texts.values()))
    return await in_thread_if_long(
        size * MICROSECONDS_PER_BYTE, lambda: [base64_source(text, where) for where, text in texts.items()]
    )


def base64_source(text: str, where: str) -> Source:
    """The file in a base64 text; raises Problem 400.

    Its first bytes tell what it is. The media type of a data URI is not looked at: browsers take it from the name of
    a file, and don't look at it either when they show an image.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = _decoded(text, where)
    return Source(where, data, None)


def _decoded(text: str, where: str) -> bytes:
    """The bytes of a text that is not the plain form of base64; raises Problem 400 that says what is wrong with it.

    Only characters that can't change the bytes are dropped, by functions that take time and memory by the text's size.
    """
    start = _start(text, where)
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError as error:
        raise _wrong_character(text, error.start, where) from None
    data = data[start:]
    if others := data.translate(None, KNOWN):
        raise _wrong_character(text, start + data.index(others[:1]), where)
    # A space between characters was a + that a form has changed, or the text is not what it should be.
    if (b" " in data or b"\t" in data) and (space := SPACE_WITHIN_A_LINE.search(data)):
        raise _wrong_character(text, start + space.start(), where)
    padded = data.translate(TO_STANDARD, SPACE)
    plain = padded.rstrip(b"=")
    if b"=" in plain:
        raise _wrong_character(text, start + data.index(b"="), where)
    padding, missing = len(padded) - len(plain), -len(plain) % 4
    if missing == 3:
        raise _refuse(f"{len(plain)} characters, which are no whole number of bytes", where)
    if padding not in (0, missing):
        raise _refuse(f"{len(plain)} characters with {padding} = behind them instead of {missing}", where)
    return base64.b64decode(plain + b"=" * missing, validate=True)


def _start(text: str, where: str) -> int:
    """Where in a text its base64 begins: at once, or behind the head of a data URI (RFC 2397)."""
    if text[: len(DATA)].lower() != DATA:
        return 0
    comma = text.find(",")
    if text[: max(comma, 0)].rpartition(";")[2].strip().lower() != "base64":
        raise _refuse("a data URI without ;base64, before its data", where)
    return comma + 1


def _wrong_character(text: str, index: int, where: str) -> Problem:
    return _refuse(f"character {index + 1} is {text[index]!r}", where)


def _refuse(what: str, where: str) -> Problem:
    return Problem(400, f"{where}: not base64: {what}; accepts {ACCEPTED}", where=where, accepted=ACCEPTED)

"""The text of a CSV file as people's programs write it: in which encoding, and what stands between its cells.

UTF-8 and UTF-16 are told by their bytes. Any file might be Windows-1252, so that is believed only where Western letters
stand in words beside ASCII letters: in other encodings the same bytes make signs, or words without an ASCII letter.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from training.data.dataset import DataError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_LINE_END = re.compile(r"\r\n|\r|\n")
_WORD = re.compile(r"[A-Za-z°À-ÿ]*[°À-ÿ][A-Za-z°À-ÿ]*")
# Signs, letters that are Turkish or Cyrillic elsewhere, and words without ASCII letters.
_DOUBTFUL = re.compile(r"[^\x00-\x7f°À-ÖØ-öø-ÿ]|[ÐÞðþ]|(?<![A-Za-zÀ-ÿ])[À-ÿ]{2,}(?![A-Za-zÀ-ÿ])")


def decoded(file: Path, data: bytes) -> tuple[str, str]:
    """The text of a file, and how it was read if that isn't UTF-8; raises DataError that names file and line."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), "read as UTF-16"
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-16", "ignore")
            raise _unreadable(file, before, "is not UTF-16, as its first bytes say") from error
    if b"\0" in data[:2]:
        raise _unreadable(file, "", "is not UTF-8, but UTF-16 without a byte order mark")
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        text = data.decode("latin-1")  # Windows-1252 is the same but for 0x80 to 0x9f, which are doubtful
        if doubt := _DOUBTFUL.search(text):
            found = doubt.group().encode("latin-1")
            what = f"is not UTF-8, and the bytes {found.hex(' ')} are of an encoding that can't be told"
            raise _unreadable(file, text[: doubt.start()], what) from error
    word = _WORD.search(text)
    assert word is not None  # it is not ASCII
    return text, f"not UTF-8, read as Windows-1252: {word.group()!r} in row {_line(text[: word.start()])}"


def _unreadable(file: Path, before: str, what: str) -> DataError:
    return DataError(f"{file}, row {_line(before)}: {what}; save the file as UTF-8")


def _line(before: str) -> int:
    """The number of the line that follows a text."""
    return len(_LINE_END.findall(before)) + 1


def separator(text: str) -> str:
    """What stands between the cells: the first of comma, semicolon and tab after the first cell, which is a word."""
    match = re.match(r'\s*"?\w+"? *([,;\t])', text)
    return match.group(1) if match else ","

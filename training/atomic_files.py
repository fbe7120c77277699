"""Files that are replaced as a whole, so that no reader sees an incomplete one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any


@contextmanager
def atomic_write(file: Path) -> Iterator[BytesIO]:
    """Collect a file's content in memory; it replaces ``file`` if the block succeeds. The folder must be there.

    Raises OSError with the name of ``file``, which then stays as it was: for a full disk, for instance. Encoders never
    write to the disk themselves, as torch and Pillow turn its errors into others.
    """
    content = BytesIO()
    yield content
    temporary = file.with_name(f".{file.name}.part")
    try:
        with naming(file):
            with temporary.open("wb") as output:
                output.write(content.getbuffer())
                output.flush()
                os.fsync(output.fileno())  # a full disk of another machine shows only now
            os.replace(temporary, file)
    finally:
        with suppress(OSError):  # the folder may be gone, or be read-only by now
            temporary.unlink(missing_ok=True)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Give every OSError of the block the name of ``file``: that of a write has none."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # raised by a library, not by the system
            raise
        raise OSError(error.errno, error.strerror, str(file)) from error


def write_json(file: Path, content: Any) -> None:
    """Replace ``file`` by JSON; raises ValueError for NaN and infinities, which JSON doesn't have."""
    with atomic_write(file) as output:
        output.write(json.dumps(content, indent=1, allow_nan=False).encode() + b"\n")

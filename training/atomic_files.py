"""Files that are replaced as a whole, so that no reader sees an incomplete one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic_write(file: Path) -> Iterator[IO[bytes]]:
    """Write into a temporary file, which replaces ``file`` if the block succeeds; missing folders are made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.part")
    try:
        with temporary.open("wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(file: Path, content: Any) -> None:
    """Replace ``file`` by JSON; raises ValueError for NaN and infinities, which JSON doesn't have."""
    with atomic_write(file) as output:
        output.write(json.dumps(content, indent=1, allow_nan=False).encode() + b"\n")

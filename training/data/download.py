"""Published files, which are downloaded once and checked by their MD5."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from pathlib import Path

from tqdm import tqdm

from training.atomic_files import naming
from training.data.dataset import DataError


def download(folder: Path, url: str, md5: str) -> Path:
    """The path of the file of ``url`` in ``folder``; it is downloaded if it isn't there.

    Raises DataError if its MD5 is another one, or if it can't be downloaded, and OSError with the file's name if it
    can't be written; then nothing is kept.
    """
    file = folder / url.rsplit("/", 1)[-1]
    if file.exists():
        if (found := md5_of(file)) != md5:
            raise DataError(f"{file}: MD5 is {found}, not the published {md5}; remove it to download it again")
        return file
    # Another process may download the same file at the same time.
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with naming(file):
            folder.mkdir(parents=True, exist_ok=True)
            output = partial.open("wb")
        with output, urllib.request.urlopen(url, timeout=30) as response:
            size = int(response.headers.get("Content-Length") or 0) or None
            with tqdm(total=size, unit="B", unit_scale=True, desc=file.name) as progress:
                while chunk := response.read(1 << 20):
                    with naming(file):
                        output.write(chunk)
                        output.flush()
                    digest.update(chunk)
                    progress.update(len(chunk))
                if size and output.tell() < size:
                    raise ConnectionError(f"it ended after {output.tell():,} of {size:,} bytes")
        if digest.hexdigest() != md5:
            raise DataError(f"{url}: MD5 is {digest.hexdigest()}, not the published {md5}; nothing was kept")
        os.replace(partial, file)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.filename == str(file):
            raise
        raise DataError(f"{url}: can't be downloaded ({error!r}); give the file itself instead") from error
    finally:
        partial.unlink(missing_ok=True)
    return file


def md5_of(file: Path) -> str:
    """The MD5 of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()

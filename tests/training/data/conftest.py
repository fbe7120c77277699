"""A web site on this machine, and folders of images."""

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image

from tests.training.data.folders import MakeFolder, picture


class Site(NamedTuple):
    folder: Path
    url: str


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A folder and the address that a server of this machine gives its files under."""
    folder = tmp_path / "site"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield Site(folder, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> MakeFolder:
    """Makes a folder of grey 0.png, 1.png ... with these cells beside them, one text for each row."""

    def make(header: str, rows: Sequence[str], images: Sequence[Image.Image] = ()) -> Path:
        for i in range(len(rows)):
            (images[i] if images else picture(i)).save(tmp_path / f"{i}.png")
        lines = [f"file,{header}", *(f"{i}.png,{row}" for i, row in enumerate(rows))]
        (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
        return tmp_path

    return make

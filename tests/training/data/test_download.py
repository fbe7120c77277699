"""Downloads from a real server on this machine."""

import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from training.data.download import download
from training.data.source import DataError


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Address of data.npz, 3 MB of noise, on a server of this machine."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "data.npz").write_bytes(np.random.default_rng(5).bytes(3_000_000))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/data.npz"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_download_with_the_right_md5_is_kept_and_not_repeated(url: str, tmp_path: Path) -> None:
    content = (tmp_path / "site" / "data.npz").read_bytes()
    file = download(tmp_path / "new" / "folder", url, hashlib.md5(content).hexdigest())
    assert file == tmp_path / "new" / "folder" / "data.npz"
    assert file.read_bytes() == content
    (tmp_path / "site" / "data.npz").unlink()
    assert download(file.parent, url, hashlib.md5(content).hexdigest()) == file
    with pytest.raises(DataError, match="remove it to download it again"):
        download(file.parent, url, "0" * 32)
    assert [path.name for path in file.parent.iterdir()] == ["data.npz"]


def test_a_download_with_another_md5_keeps_nothing(url: str, tmp_path: Path) -> None:
    actual = hashlib.md5((tmp_path / "site" / "data.npz").read_bytes()).hexdigest()
    with pytest.raises(DataError, match=f"MD5 is {actual}, not the published {'0' * 32}; nothing was kept"):
        download(tmp_path / "new", url, "0" * 32)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_page_that_is_not_there_is_a_data_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="404"):
        download(tmp_path / "new", url + ".old", "0" * 32)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_refused_connection_is_a_data_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DataError, match=r"can't be downloaded .*refused.*; give the file itself instead"):
        download(tmp_path / "new", f"http://127.0.0.1:{port}/data.npz", "0" * 32)
    assert list((tmp_path / "new").iterdir()) == []

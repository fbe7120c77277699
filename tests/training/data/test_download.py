"""Downloads from real servers on this machine."""

import hashlib
import socket
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.conftest import Site
from training.data.dataset import DataError
from training.data.download import download

CONTENT = np.random.default_rng(5).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def url(site: Site) -> str:
    """Address of data.npz, 3 MB of noise."""
    (site.folder / "data.npz").write_bytes(CONTENT)
    return f"{site.url}/data.npz"


def test_a_download_with_the_right_md5_is_kept_and_not_repeated(url: str, tmp_path: Path) -> None:
    file = download(tmp_path / "new" / "folder", url, MD5)
    assert file == tmp_path / "new" / "folder" / "data.npz"
    assert file.read_bytes() == CONTENT
    (tmp_path / "site" / "data.npz").unlink()
    assert download(file.parent, url, MD5) == file
    with pytest.raises(DataError, match="remove it to download it again"):
        download(file.parent, url, "0" * 32)
    assert [path.name for path in file.parent.iterdir()] == ["data.npz"]


def test_a_download_with_another_md5_keeps_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"MD5 is {MD5}, not the published {'0' * 32}; nothing was kept"):
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


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "it ended after 3 of 100 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc", "IncompleteRead"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "BadStatusLine"),
        (b"", "closed connection"),
    ],
    ids=["cut off", "cut off in a chunk", "no HTTP", "nothing"],
)
def test_an_answer_that_breaks_off_is_a_data_error(tmp_path: Path, answer: bytes, message: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(DataError, match=f"can't be downloaded .*{message}"):
            download(tmp_path / "new", f"http://127.0.0.1:{server.getsockname()[1]}/data.npz", "0" * 32)
        thread.join()
    assert list((tmp_path / "new").iterdir()) == []

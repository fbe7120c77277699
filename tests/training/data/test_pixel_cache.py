"""Decoded images on disk: limits, several processes, kills, a full disk."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support import ROOT
from training.data.dataset import DataError
from training.data.pixel_cache import ENTRY, LOCKS, PIXELS, PixelCache

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 1), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPRITEVAE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def writer(images: NDArray[np.uint8] = IMAGES) -> Callable[[IO[bytes]], tuple[tuple[int, ...], NDArray[np.intp]]]:
    def write(file: IO[bytes]) -> tuple[tuple[int, ...], NDArray[np.intp]]:
        file.write(images.data)
        return images.shape, np.arange(len(images))

    return write


def never(file: IO[bytes]) -> tuple[tuple[int, ...], NDArray[np.intp]]:
    raise AssertionError("written again")


def test_what_was_stored_is_loaded_and_never_written_again() -> None:
    cache = PixelCache()
    assert cache.load("key") is None
    stored = cache.store("key", IMAGES.nbytes, writer())
    loaded = PixelCache().load("key")
    assert loaded is not None
    for each in (stored, loaded, cache.store("key", IMAGES.nbytes, never)):
        assert np.array_equal(each.images, IMAGES)
        assert each.rows.tolist() == list(range(10))
    assert not loaded.images.flags.writeable


def test_an_error_leaves_nothing(folder: Path) -> None:
    def fail(file: IO[bytes]) -> tuple[tuple[int, ...], NDArray[np.intp]]:
        file.write(b"some")
        raise DataError("damaged")

    with pytest.raises(DataError, match="damaged"):
        PixelCache().store("key", 100, fail)
    assert [each.name for each in folder.iterdir()] == [LOCKS]
    assert PixelCache().store("key", IMAGES.nbytes, writer()).images.shape == IMAGES.shape


def test_what_was_used_longest_ago_goes_where_the_limit_would_be_exceeded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPRITEVAE_CACHE_GB", str(2.5 * IMAGES.nbytes / 1e9))
    for i, key in enumerate(("a", "b")):
        PixelCache().store(key, IMAGES.nbytes, writer())
        os.utime(folder / key, (i, i))
    PixelCache().load("a")  # used now
    PixelCache().store("c", IMAGES.nbytes, writer())
    assert {each.name for each in folder.iterdir()} == {LOCKS, "a", "c"}


def test_what_is_in_use_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used = PixelCache().store("a", IMAGES.nbytes, writer())
    monkeypatch.setenv("SPRITEVAE_CACHE_GB", str(1.5 * IMAGES.nbytes / 1e9))
    PixelCache().store("b", IMAGES.nbytes, writer())
    assert np.array_equal(used.images, IMAGES)
    assert (folder / "a").is_dir()
    del used
    PixelCache().store("c", IMAGES.nbytes, writer())
    assert not (folder / "a").exists()


def test_a_set_larger_than_the_limit_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPRITEVAE_CACHE_GB", "0.5")
    with pytest.raises(
        DataError, match=r"take 2\.0 GB, but the cache .* may have 0\.5; raise it with SPRITEVAE_CACHE_GB"
    ):
        PixelCache().store("key", 2 * 10**9, never)
    monkeypatch.setenv("SPRITEVAE_CACHE_GB", "much")
    with pytest.raises(DataError, match="SPRITEVAE_CACHE_GB is 'much'; takes a number of gigabytes"):
        PixelCache()


SCRIPT = """
import sys, time
import numpy as np
from training.data.pixel_cache import PixelCache
def write(file):
    print("writing", flush=True)
    if sys.argv[1] == "hang":
        file.write(b"part"); file.flush(); time.sleep(1000)
    sys.stdin.readline()
    images = np.full((3, 8, 8, 1), int(sys.argv[1]), np.uint8)
    file.write(images.data)
    return images.shape, np.arange(3)
print(PixelCache().store("key", 192, write).images.max(), flush=True)
"""


def start(argument: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, argument],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


def test_a_second_process_waits_for_the_first_and_uses_what_it_wrote() -> None:
    first = start("1")
    assert line(first.stdout) == "writing\n"
    second = start("2")
    assert "waiting for it" in line(second.stderr)
    assert first.communicate("go\n", timeout=60)[0] == "1\n"
    assert second.communicate(timeout=60)[0] == "1\n", "it has written nothing itself"


def test_after_a_kill_another_process_writes_anew(folder: Path) -> None:
    killed = start("hang")
    assert line(killed.stdout) == "writing\n"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (folder / "key.part").is_dir()
    assert start("7").communicate("go\n", timeout=60)[0] == "writing\n7\n"
    assert not (folder / "key.part").exists()


def test_an_entry_says_its_shape(folder: Path) -> None:
    PixelCache().store("key", IMAGES.nbytes, writer())
    entry = json.loads((folder / "key" / ENTRY).read_text())
    assert entry == {"shape": [10, 8, 8, 1], "rows": list(range(10))}
    assert (folder / "key" / PIXELS).read_bytes() == IMAGES.tobytes()

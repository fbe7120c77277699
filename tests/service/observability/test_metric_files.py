from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.observability import metric_files
from service.observability.metric_files import LOCK, PREFIX, VARIABLE, hold, remove_abandoned, shared
from tests.service.processes import alive, running, wait_until


@pytest.fixture(autouse=True)
def _no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")


def abandoned(place: Path, name: str = "left") -> Path:
    """A folder that nobody holds any more."""
    folder = place / f"{PREFIX}{name}"
    folder.mkdir()
    (folder / LOCK).touch()
    (folder / "counter_1.db").write_bytes(b"?")
    return folder


def test_the_folder_is_there_for_as_long_as_it_is_shared():
    with shared():
        folder = Path(os.environ[VARIABLE])
        assert folder.is_dir()
        remove_abandoned(folder.parent)
        assert folder.is_dir()
    assert not folder.exists()


def test_a_folder_that_nobody_holds_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = abandoned(tmp_path)
    monkeypatch.setenv(VARIABLE, str(folder))
    held = hold()
    remove_abandoned(tmp_path)
    assert folder.exists()
    os.close(held)
    remove_abandoned(tmp_path)
    assert not folder.exists()


def test_what_is_none_of_ours_stays(tmp_path: Path):
    """A folder that was made this moment, a link to one, a folder of another name."""
    new = tmp_path / f"{PREFIX}new"
    new.mkdir()
    elsewhere = abandoned(tmp_path, "elsewhere").rename(tmp_path / "elsewhere")
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    linked = abandoned(tmp_path, "linked")
    (linked / LOCK).unlink()
    (linked / LOCK).symlink_to(elsewhere / LOCK)
    remove_abandoned(tmp_path)
    assert all(each.exists() for each in (new, elsewhere / LOCK, link, linked))


def test_folders_of_other_users_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = abandoned(tmp_path)
    monkeypatch.setattr(metric_files.os, "getuid", lambda: os.stat(folder).st_uid + 1)
    remove_abandoned(tmp_path)
    assert folder.exists()


def test_the_folder_of_a_process_that_was_killed_is_removed(tmp_path: Path):
    folder = abandoned(tmp_path)
    holding = "import time; from service.observability.metric_files import hold; hold(); print(1, flush=True); "
    holding += "time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-c", holding], env={**os.environ, VARIABLE: str(folder)}, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stdout.readline()
        remove_abandoned(tmp_path)
        assert folder.exists()
    finally:
        process.kill()
        process.communicate()
    remove_abandoned(tmp_path)
    assert not folder.exists()


def test_a_killed_service_leaves_its_folder_only_until_the_next_start(bundles: Path):
    flags = ("--workers", "2", "--drain-seconds", "0")
    with running(bundles / "grey", *flags) as service:
        environment = Path(f"/proc/{service.workers[0]}/environ").read_bytes().split(b"\0")
        (folder,) = [
            Path(os.fsdecode(each.partition(b"=")[2])) for each in environment if each.startswith(VARIABLE.encode())
        ]
        assert folder.is_dir()
        workers = service.workers
        for pid in (service.process.pid, *workers):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(alive(pid) for pid in workers))
    assert folder.is_dir()
    with running(bundles / "grey", *flags):
        assert not folder.exists()

"""Commands on real disks that are full, read-only or over a quota: one line, and nothing is lost."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spritevae.commands.storage_errors import explain
from tests.disks import Disk, small_disk
from tests.support import ROOT
from training.runs import Run

SPRITEVAE = [sys.executable, "-m", "spritevae"]
FULL = "No space left on device: "


def train(disk: Disk, sprites: Path, *options: str) -> subprocess.CompletedProcess[str]:
    settings = ["--set", "images=320", "batch_size=16", *options]
    return disk.spritevae("train", "softmax", "--data", sprites, "--run", disk.path / "run", "--threads", 1, *settings)


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a command, which is the only line besides progress bars."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("spritevae: error: ") == 1
    return done.stderr.splitlines()[-1].removeprefix("spritevae: error: ")


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (errno.ENOSPC, "No space left on device: a/b; free some space, then run the same command again to go on"),
        (errno.EDQUOT, "Disk quota exceeded: a/b; free some space, or have your quota raised, then run the same"),
        (errno.EROFS, "Read-only file system: a/b; make it writable, then run the same command again to go on"),
        (errno.EFBIG, "File too large: a/b; raise the limit of a file's size (ulimit -f), then run the same"),
        (errno.EACCES, "Permission denied: a/b"),
    ],
)
def test_an_error_is_told_with_its_file_and_what_to_do(number: int, line: str) -> None:
    assert explain(OSError(number, os.strerror(number), "a/b"), " to go on").startswith(line)


def test_an_error_without_a_file_is_that_of_the_output_if_a_disk_is_full() -> None:
    assert explain(OSError(errno.ENOSPC, "Full")).startswith("Full: the output of the command; free some space")
    assert explain(OSError(errno.EADDRINUSE, "In use")) == f"[Errno {errno.EADDRINUSE}] In use"
    assert explain(OSError("closed")) == "closed"


def test_training_on_a_full_disk_ends_with_one_line_and_goes_on_later(sprites: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=1m") as disk:
        # Which file finds no room depends on the size of pictures, and so on the fonts of the system.
        line = last_line(train(disk, sprites))
        assert line.startswith(f"{FULL}{disk.path}/run/")
        assert line.endswith("; free some space, then run the same command again")
        assert not [name for name in disk.files() if name.endswith(("checkpoint.pt", ".part"))]
        disk.remount("size=64m")
        assert train(disk, sprites).returncode == 0
        whole = disk.files()

        # Room for some of the pictures and events of a report, and for no other checkpoint.
        disk.leave(1_000_000)
        line = last_line(train(disk, sprites, "images=640"))
        assert line.startswith(f"{FULL}{disk.path}/run/")
        assert line.endswith("; free some space, then run the same command again to go on from image 320")
        assert disk.files()["run/checkpoint.pt"] == whole["run/checkpoint.pt"]
        assert not [name for name in disk.files() if name.endswith(".part")]

        # No room at all: not even for events and pictures.
        disk.leave(0)
        assert last_line(train(disk, sprites, "images=640")).startswith(f"{FULL}{disk.path}/run/")
        disk.remount("size=64m")
        assert train(disk, sprites, "images=640").returncode == 0
        assert Run(disk.seen / "run").finished
        assert Run(disk.seen / "run").history[-1]["images"] == 640


def test_a_run_on_a_disk_that_became_read_only_goes_on_once_it_is_writable(small_run: Run, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copytree(small_run.path, disk.seen / "run")
        command = ["train", "softmax", "--data", "dsprites", "--threads", "1", "--run", str(disk.path / "run")]
        command += ["--set", "images=640", "batch_size=64"]
        (disk.seen / "run" / "pictures" / "curves.png").unlink()
        disk.remount("ro")
        line = f"Read-only file system: {disk.path}/run/.lock; make it writable, then run the same command again"
        assert last_line(disk.spritevae(*command)) == f"{line} to go on from image 640"
        disk.remount("rw")
        assert disk.spritevae(*command).returncode == 0
        assert (disk.seen / "run" / "pictures" / "curves.png").exists()


def test_a_quota_is_told_as_such(sprites: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "usrquota,usrquota_block_hardlimit=1m") as disk:
        done = train(disk, sprites)
        assert last_line(done).startswith(f"Disk quota exceeded: {disk.path}/run/checkpoint.pt; free some space, or ")


def test_a_limit_of_a_files_size_is_told_as_such(sprites: Path, tmp_path: Path) -> None:
    command = [*SPRITEVAE, "train", "softmax", "--data", str(sprites), "--threads", "1", "--run", str(tmp_path / "run")]
    command += ["--set", "images=32", "batch_size=16"]
    limited = ["sh", "-c", 'ulimit -f 1600; exec "$@"', "sh", *command]  # 1600 blocks: 800 KiB
    done = subprocess.run(limited, capture_output=True, text=True, check=False, cwd=ROOT)
    assert last_line(done).startswith(f"File too large: {tmp_path}/run/checkpoint.pt; raise the limit")
    assert not list((tmp_path / "run").glob("*.part"))


@pytest.mark.parametrize("room", [0, 1_000_000])
def test_an_export_to_a_full_disk_leaves_the_earlier_bundle(
    small_run: Run, small_bundle: tuple[Path, object], tmp_path: Path, room: int
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        shutil.copytree(small_bundle[0], disk.seen / "bundle")
        before = disk.files()
        disk.leave(room)
        command = ["export", small_run.path, "-o", disk.path / "bundle", "--rows", 20]
        line = f"{FULL}{disk.path}/bundle; free some space, then run the same command again"
        assert last_line(disk.spritevae(*command)) == line
        assert disk.files() == before
        disk.remount("size=64m")
        assert disk.spritevae(*command).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "file"),
    [(["evaluate", "--rows", "20"], "evaluation.json"), (["plot", "--pictures", "reconstructions"], "curves.png")],
)
def test_scores_and_pictures_on_a_full_disk_are_one_line_and_the_earlier_ones_stay(
    small_run: Run, tmp_path: Path, arguments: list[str], file: str
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        (disk.seen / file).write_bytes(b"earlier")
        disk.leave(0)
        done = disk.spritevae(arguments[0], small_run.path, *arguments[1:], "--output", disk.path)
        assert last_line(done) == f"{FULL}{disk.path}/{file}; free some space, then run the same command again"
        assert disk.files() == {file: b"earlier"}


def test_output_to_a_full_disk_is_one_line_and_exit_status_1() -> None:
    with Path("/dev/full").open("wb") as full:
        command = [*SPRITEVAE, "train", "--list"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT)
        assert last_line(done) == f"{FULL}the output of the command; free some space, then run the same command again"
        assert done.stderr.count("\n") == 1
        silent = subprocess.run([*SPRITEVAE, "runs", "--where", "x=1"], stdout=full, stderr=full, check=False, cwd=ROOT)
        assert silent.returncode == 1

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service import threads
from service.threads import MAX_LOOP_MICROSECONDS, cores, in_thread, in_thread_if_long
from tests.support import ROOT


@pytest.mark.parametrize(
    ("microseconds", "moves"), [(0, False), (MAX_LOOP_MICROSECONDS, False), (MAX_LOOP_MICROSECONDS + 1, True)]
)
def test_only_long_work_changes_the_thread(microseconds: float, moves: bool):
    thread = asyncio.run(in_thread_if_long(microseconds, threading.get_ident))
    assert (thread != threading.get_ident()) is moves


def test_the_event_loop_runs_on_while_a_thread_works():
    done = threading.Event()

    async def main() -> None:
        work = asyncio.create_task(in_thread(lambda: done.wait(60)))
        await asyncio.sleep(0)
        done.set()
        assert await work

    asyncio.run(main())


@pytest.mark.parametrize("microseconds", [0, 2 * MAX_LOOP_MICROSECONDS])
def test_errors_come_back_from_either_place(microseconds: float):
    def fail() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        asyncio.run(in_thread_if_long(microseconds, fail))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for made-up control groups of this process, on a machine with eight cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(threads, "PROCESS", tmp_path)
    return tmp_path


def in_groups(machine: Path, groups: str, mounts: str, files: dict[str, str]) -> int:
    """The cores in these control groups: lines of /proc/self/cgroup and mountinfo, and files of the groups."""
    (machine / "cgroup").write_text(groups)
    (machine / "mountinfo").write_text(mounts.format(machine))
    for name, content in files.items():
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text(content)
    return cores()


MOUNT_2 = "25 1 0:2 {root} {{0}}/fs rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
MOUNT_1 = (
    "22 1 0:1 / /sys rw - sysfs sysfs rw\n"
    "23 1 0:5 / {{0}}/fs/memory rw - cgroup cgroup rw,memory\n"
    "24 1 0:6 {root} {{0}}/fs/cpu,cpuacct rw,relatime shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
)


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("150000 100000", 2), ("100000 100000", 1), ("50000 100000", 1), ("max 100000\n", 8), ("9900000 100000", 8)],
)
def test_a_share_of_the_machine_counts_as_so_many_cores(machine: Path, quota: str, expected: int):
    assert in_groups(machine, "0::/\n", MOUNT_2.format(root="/"), {"fs/cpu.max": quota}) == expected


def test_the_smallest_share_of_a_group_and_all_above_counts(machine: Path):
    files = {"fs/a/cpu.max": "300000 100000", "fs/a/b/cpu.max": "max 100000", "fs/a/b/c/cpu.max": "500000 100000"}
    assert in_groups(machine, "0::/a/b/c\n", MOUNT_2.format(root="/"), files) == 3
    assert in_groups(machine, "0::/a/b/c\n", MOUNT_2.format(root="/"), {"fs/a/b/c/cpu.max": "20000 10000"}) == 2


def test_version_1_has_a_file_each_for_quota_and_period(machine: Path):
    groups = "9:memory:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/x\n0::/x\n"
    files = {"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"}
    tree = {f"fs/cpu,cpuacct/{group}{name}": text for group in ("", "a/", "a/b/") for name, text in files.items()}
    assert in_groups(machine, groups, MOUNT_1.format(root="/"), tree) == 8
    assert in_groups(machine, groups, MOUNT_1.format(root="/"), {"fs/cpu,cpuacct/a/cpu.cfs_quota_us": "250000"}) == 3


@pytest.mark.parametrize(("path", "root"), [("/docker/a1", "/docker/a1"), ("/docker/a1", "/../.."), ("/../b", "/")])
def test_a_container_may_see_its_own_group_only(machine: Path, path: str, root: str):
    files = {"fs/cpu,cpuacct/cpu.cfs_quota_us": "200000", "fs/cpu,cpuacct/cpu.cfs_period_us": "100000"}
    assert in_groups(machine, f"4:cpu,cpuacct:{path}\n", MOUNT_1.format(root=root), files) == 2
    assert in_groups(machine, f"0::{path}\n", MOUNT_2.format(root=root), {"fs/cpu.max": "300000 100000"}) == 3


def test_without_control_groups_all_that_are_allowed_count(machine: Path):
    assert cores() == 8
    assert in_groups(machine, "0::/\n", "", {}) == 8
    assert in_groups(machine, "unknown\n", "", {}) == 8


@pytest.fixture
def real_group() -> Iterator[Path]:
    """A control group inside another one that may use one core; skips where none can be made."""
    for parent in map(Path, ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup")):
        group = parent / f"spritevae-test-{os.getpid()}"
        with suppress(OSError):
            group.mkdir()
            break
    else:
        pytest.skip("no control group can be made here")
    inner = group / "inner"
    try:
        try:
            if (group / "cpu.cfs_quota_us").exists():
                (group / "cpu.cfs_quota_us").write_text("100000")
            else:
                (group / "cpu.max").write_text("100000 100000")
            inner.mkdir()
        except OSError as error:
            pytest.skip(f"no quota can be set here: {error}")
        yield inner
    finally:
        for made in (inner, group):
            with suppress(FileNotFoundError):
                made.rmdir()


def test_a_real_quota_of_the_group_above_counts(real_group: Path):
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); os.sched_getaffinity = lambda pid: range(8);"
        "from service.threads import cores; print(cores())"
    )
    command = [sys.executable, "-c", code, str(real_group / "cgroup.procs")]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout == "1\n"

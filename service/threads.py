"""Where work is done: short work in the event loop, long work in a thread, as everything else waits for the loop.

And how many threads can work at once: as many as there are cores for.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from anyio import to_thread

# Shorter work is done before a thread would have begun, and delays other requests less than anybody notices.
MAX_LOOP_MICROSECONDS = 500.0
# Which control groups this process is in, and where their file systems are: cgroups(7).
PROCESS = Path("/proc/self")

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


async def in_thread(work: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
    """The result of long work."""
    return await to_thread.run_sync(work, *arguments)


async def in_thread_if_long(
    microseconds: float, work: Callable[[*Arguments], Result], *arguments: *Arguments
) -> Result:
    """The result of ``work`` that takes about that long."""
    return work(*arguments) if microseconds <= MAX_LOOP_MICROSECONDS else await in_thread(work, *arguments)


def cores() -> int:
    """How many cores this process may use, rounded up: a container may have only a share of the machine's cores."""
    allowed = len(os.sched_getaffinity(0))
    try:
        return min([allowed, *(math.ceil(quota) for folder in _cpu_groups() if (quota := _quota(folder)))])
    except (OSError, ValueError):  # no control groups here, or ones of an unknown form
        return allowed


def _cpu_groups() -> Iterator[Path]:
    """The folders of the control groups that limit this process's CPU time: its own, and all above."""
    groups: dict[str, str] = {}
    for line in (PROCESS / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), path)  # version 2 names no controllers
    for line in (PROCESS / "mountinfo").read_text().splitlines():
        place, _, system = line.partition(" - ")
        root, mounted = place.split()[3:5]
        kind, _, options = system.split()[:3]
        if kind != "cgroup2" and not (kind == "cgroup" and "cpu" in options.split(",")):
            continue
        group = Path(groups.get("" if kind == "cgroup2" else "cpu", "/"))
        # In a container, what is mounted may be its own group, whose path begins at the machine's root.
        below = group.relative_to(root) if group.is_relative_to(root) and ".." not in group.parts else Path()
        yield from (Path(mounted) / folder for folder in (below, *below.parents))


def _quota(group: Path) -> float | None:
    """The cores' worth of CPU time that a control group may use; None without a limit."""
    if (version_2 := group / "cpu.max").exists():
        quota, period = version_2.read_text().split()
    elif (version_1 := group / "cpu.cfs_quota_us").exists():
        quota, period = version_1.read_text(), (group / "cpu.cfs_period_us").read_text()
    else:
        return None
    return int(quota) / int(period) if quota.strip() not in ("max", "-1") else None

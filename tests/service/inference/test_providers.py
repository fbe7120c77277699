from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.inference import providers
from service.inference.providers import CPU, CUDA, concurrent_batches, cores


@pytest.mark.parametrize(("quota", "expected"), [("150000 100000", 2), ("100000 100000", 1), ("50000 100000", 1)])
def test_a_share_of_the_machine_counts_as_so_many_cores(
    quota: str, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(providers, "CGROUP_CPU", tmp_path / "cpu.max")
    assert cores() == expected


@pytest.mark.parametrize("content", [None, "max 100000\n"])
def test_without_a_quota_all_that_are_allowed_count(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    if content:
        (tmp_path / "cpu.max").write_text(content)
    monkeypatch.setattr(providers, "CGROUP_CPU", tmp_path / "cpu.max")
    assert cores() == 8
    assert [concurrent_batches(CPU, threads) for threads in (1, 3, 16)] == [8, 2, 1]
    assert concurrent_batches(CUDA, 1) == 1

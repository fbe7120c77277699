"""Bundles that would bring the service down end a process of their own."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from export.bundle import read_bundle
from service.inference import repository, trial_run
from service.inference.providers import ModelError
from service.inference.repository import SHIPPED, ModelRepository
from service.inference.trial_run import try_bundle
from service.settings import Settings
from tests.service.inference.hostile import endless, huge
from tests.service.processes import alive, start, url_of, wait_until
from tests.service.toys import toy_bundle


def trial_of(path: Path) -> None:
    """Try a bundle; raises ModelError."""
    anyio.run(try_bundle, read_bundle(path))


def trials(parent: int) -> list[int]:
    """The processes of trials that a process has started."""
    found = []
    for children in Path(f"/proc/{parent}/task").glob("*/children"):
        for pid in map(int, children.read_text().split()):
            if b"service.inference.trial_run" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def test_a_good_bundle_passes(bundles: Path):
    for name in ("grey", "conditional"):
        trial_of(bundles / name)


def test_a_bundle_that_fails_says_why(tmp_path: Path):
    with pytest.raises(ModelError, match=r"toy: golden vectors are not reproduced on CPU.* differs by 0\.01"):
        trial_of(toy_bundle(tmp_path / "toy", golden_error=0.01))


def test_a_graph_without_end_is_ended_after_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial_run, "CPU_SECONDS", 1)
    with pytest.raises(ModelError, match="toy: its trial run takes more than 1 s of CPU time"):
        trial_of(endless(tmp_path / "toy"))
    assert trials(os.getpid()) == []


def test_a_trial_is_ended_after_its_time_on_the_clock_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(trial_run, "SECONDS", 0.5)
    with pytest.raises(ModelError, match=r"toy: its trial run takes more than 0\.5 s$"):
        trial_of(endless(tmp_path / "toy"))
    assert trials(os.getpid()) == []


def test_a_graph_that_asks_for_all_memory_gets_none(tmp_path: Path):
    with pytest.raises(ModelError, match=r"toy: its trial run, which may take \d+ MiB, failed: .*ConstantOfShape"):
        trial_of(huge(tmp_path / "toy"))


def test_memory_beyond_the_limit_is_refused_though_the_machine_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = toy_bundle(tmp_path / "toy")
    for name, value in (("MEMORY", 0), ("MEMORY_OF_FILES", 0)):
        monkeypatch.setattr(trial_run, name, value)
    with pytest.raises(ModelError, match=r"toy: "):
        trial_of(path)


def test_the_process_has_no_key_and_ends_with_the_task_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPRITEVAE_API_KEYS", "secret-0123456789")
    bundle = read_bundle(endless(tmp_path / "toy"))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(try_bundle, bundle)
            while not (running := trials(os.getpid())):
                await anyio.sleep(0.01)
            assert b"secret-0123456789" not in Path(f"/proc/{running[0]}/environ").read_bytes()
            tasks.cancel_scope.cancel()

    anyio.run(main)
    wait_until(lambda: not trials(os.getpid()))


def test_a_trial_that_is_killed_is_an_error(tmp_path: Path):
    bundle = read_bundle(endless(tmp_path / "toy"))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:

            async def kill() -> None:
                while not (running := trials(os.getpid())):
                    await anyio.sleep(0.01)
                os.kill(running[0], signal.SIGKILL)

            tasks.start_soon(kill)
            with pytest.raises(ModelError, match="toy: its trial run ended with SIGKILL"):
                await try_bundle(bundle)

    anyio.run(main)


def test_what_has_changed_since_it_was_read_is_refused(tmp_path: Path):
    path = toy_bundle(tmp_path / "toy")
    bundle = read_bundle(path)
    shutil.rmtree(path)
    toy_bundle(path, training={"data": "another"})
    with pytest.raises(ModelError, match="toy: has changed since it was read"):
        anyio.run(try_bundle, bundle)


def test_what_is_shipped_is_not_tried_and_a_copy_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tried = []

    async def trial(bundle: object) -> None:
        tried.append(bundle)

    monkeypatch.setattr(repository, "try_bundle", trial)
    copy = shutil.copytree(SHIPPED / "dsprites", tmp_path / "dsprites")
    for model, count in (("dsprites", 0), (str(SHIPPED / "dsprites"), 0), (str(copy), 1)):
        served = ModelRepository(Settings(_env_file=None, model=(model,), device="cpu"))
        anyio.run(served.load)
        assert len(tried) == count
        served.close()


@pytest.mark.parametrize("make", [pytest.param(endless, marks=pytest.mark.slow), huge])
def test_a_service_starts_with_no_such_bundle(tmp_path: Path, make: Callable[[Path], Path]):
    process = start("--model", str(make(tmp_path / "toy")), "--port", "0")
    _, said = process.communicate(timeout=600)
    assert process.returncode == 1
    assert "toy: its trial run takes more than 30 s of CPU time" in said or "failed: " in said


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_during_a_trial_ends_it(tmp_path: Path, workers: int):
    path = endless(tmp_path / "toy")
    process = start("--model", str(path), "--port", "0", "--workers", str(workers), "--drain-seconds", "600")
    try:
        url_of(process)

        def under_way() -> list[int]:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return [pid for parent in (process.pid, *map(int, children)) for pid in trials(parent)]

        wait_until(lambda: len(under_way()) == workers)
        running = under_way()
        process.terminate()
        _, said = process.communicate(timeout=600)
        assert process.returncode == 0
        assert "CPU time" not in said
        wait_until(lambda: not any(alive(pid) for pid in running))
    finally:
        process.kill()
        process.wait()

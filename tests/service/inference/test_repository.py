from __future__ import annotations

import asyncio
import os
import re
import shutil
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from export.bundle import MANIFEST, Bundle, BundleError, read_bundle
from service.inference import repository, trial_run
from service.inference.providers import ModelError
from service.inference.repository import ModelRepository
from service.problems import Problem
from service.settings import Settings
from tests.export.conftest import NPZ_DAMAGE, replace_sealed
from tests.service.inference.hostile import endless, huge
from tests.service.processes import running, wait_until
from tests.service.toys import toy_bundle
from tests.support import mount, swap_link


def settings(*models: Path | str) -> Settings:
    return Settings(_env_file=None, model=tuple(map(str, models)), device="cpu")


def test_the_first_model_is_the_default(bundles: Path):
    served = ModelRepository(settings(bundles / "codes", bundles / "grey"))
    anyio.run(served.load)
    assert served.engine().model.name == "codes"
    assert served.engine("grey").model.name == "grey"


def test_an_unknown_model_is_a_404_that_lists_what_there_is(bundles: Path):
    served = ModelRepository(settings(bundles / "grey"))
    anyio.run(served.load)
    with pytest.raises(Problem, match="there is grey") as caught:
        served.engine("gray")
    assert caught.value.status_code == 404


def test_models_are_not_ready_before_they_are_loaded(bundles: Path):
    with pytest.raises(Problem) as caught:
        ModelRepository(settings(bundles / "grey")).engine()
    assert caught.value.status_code == 503


def test_two_models_of_one_name_are_refused(bundles: Path, tmp_path: Path):
    with pytest.raises(ModelError, match="two models are named 'grey'"):
        ModelRepository(settings(bundles / "grey", toy_bundle(tmp_path / "grey")))


def test_a_name_finds_a_shipped_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(repository, "SHIPPED", tmp_path)
    toy_bundle(tmp_path / "dsprites")
    assert ModelRepository(settings("dsprites")).default == "dsprites"
    with pytest.raises(ModelError, match=r"no bundle 'mnist'.*shipped are: dsprites"):
        ModelRepository(settings("mnist"))


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=MANIFEST):
        ModelRepository(settings(tmp_path))


def test_models_are_served_in_their_order_whatever_is_loaded_again(bundles: Path):
    served = ModelRepository(settings(bundles / "codes", bundles / "grey", bundles / "group"))
    anyio.run(served.load)

    async def change() -> None:
        await served.unload_model("codes")
        await served.load_model("grey")
        assert list(served.engines) == ["grey", "group"]
        await served.load_model("codes")

    before = served.engines
    asyncio.run(change())
    assert list(served.engines) == ["codes", "grey", "group"]
    assert served.engines["group"] is before["group"]
    assert served.engines["grey"] is not before["grey"]


def test_a_model_goes_on_while_its_bundle_is_loaded_again(bundles: Path, monkeypatch: pytest.MonkeyPatch):
    """And one that is unloaded meanwhile is unloaded when the load is done, not lost between the two."""
    served = ModelRepository(settings(bundles / "grey"))
    anyio.run(served.load)
    before, reading, go_on = served.engine("grey"), threading.Event(), threading.Event()
    read_bundle = repository.read_bundle

    def slow(path: Path) -> Bundle:
        reading.set()
        assert go_on.wait(60)
        return read_bundle(path)

    monkeypatch.setattr(repository, "read_bundle", slow)

    async def change() -> None:
        load = asyncio.create_task(served.load_model("grey"))
        while not reading.is_set():
            await asyncio.sleep(0.001)
        unload = asyncio.create_task(served.unload_model("grey"))
        await asyncio.sleep(0.01)
        assert served.engine("grey") is before
        assert not unload.done()
        go_on.set()
        await asyncio.gather(load, unload)
        assert served.engines == {}

    asyncio.run(change())


def test_models_can_not_be_changed_before_they_are_loaded(bundles: Path):
    served = ModelRepository(settings(bundles / "grey"))
    for change in (served.load_model, served.unload_model):
        with pytest.raises(Problem) as caught:
            asyncio.run(change("grey"))
        assert caught.value.status_code == 503


def changed(bundle: Path, into: Path) -> None:
    """Put another bundle's files into a folder, as a copy does: one after the other, the manifest first."""
    for file in sorted(bundle.iterdir(), key=lambda file: file.name != MANIFEST):
        shutil.copyfile(file, into / file.name)
        time.sleep(0.02)


def followed(bundle: Path) -> ModelRepository:
    """A repository of a bundle, loaded, that looks at its folder a hundred times a second."""
    served = ModelRepository(Settings(_env_file=None, model=(str(bundle),), device="cpu", reload_seconds=0.01))
    anyio.run(served.load)
    return served


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.01)


def watch(served: ModelRepository, steps: Callable[[], Awaitable[None]]) -> None:
    """Let a repository watch its folders during these steps."""

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.watch)
            await steps()
            tasks.cancel_scope.cancel()

    anyio.run(main)
    served.close()


def test_a_folder_that_changes_is_served_once_it_is_whole_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    served_from = toy_bundle(tmp_path / "toy")
    other = toy_bundle(tmp_path / "other" / "toy", training={"data": "other"})
    wrong = toy_bundle(tmp_path / "wrong" / "toy", golden_error=0.01)
    served = followed(served_from)
    first = served.engine()

    async def steps() -> None:
        await anyio.to_thread.run_sync(changed, wrong, served_from)
        await until(lambda: "golden vectors are not reproduced" in caplog.text)
        assert served.engine() is first
        await anyio.to_thread.run_sync(changed, other, served_from)
        await until(lambda: served.engine() is not first)
        assert served.engine().model.manifest.training.data == "other"
        assert served.engine().scheduler is first.scheduler
        shutil.rmtree(served_from)
        await until(lambda: caplog.text.count("can't be loaded") > 1)
        assert served.engine().model.manifest.training.data == "other"

    watch(served, steps)
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize("damage", NPZ_DAMAGE, ids=lambda damage: damage.__name__)
def test_after_a_bundle_that_no_library_can_read_the_next_good_one_is_taken(
    tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
):
    served_from = toy_bundle(tmp_path / "toy")
    good, bad = (toy_bundle(tmp_path / name / "toy", training={"data": name}) for name in ("good", "bad"))
    replace_sealed(bad, "codebook.npz", damage)
    served = followed(served_from)
    first = served.engine()

    async def steps() -> None:
        await anyio.to_thread.run_sync(changed, bad, served_from)
        await until(lambda: bool(re.search(r"codebook\.npz: .*the one before is served on", caplog.text)))
        assert served.engine() is first
        await anyio.to_thread.run_sync(changed, good, served_from)
        await until(lambda: served.engine().model.manifest.training.data == "good")

    watch(served, steps)


@pytest.mark.parametrize("make", [endless, huge])
def test_a_bundle_that_takes_more_than_there_is_is_not_taken_and_the_next_good_one_is(
    tmp_path: Path, make: Callable[[Path], Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trial_run, "CPU_SECONDS", 1)
    served_from = toy_bundle(tmp_path / "toy")
    good, bad = toy_bundle(tmp_path / "good" / "toy", training={"data": "good"}), make(tmp_path / "bad" / "toy")
    served = followed(served_from)
    first = served.engine()

    async def steps() -> None:
        await anyio.to_thread.run_sync(changed, bad, served_from)
        await until(lambda: bool(re.search(r"its trial run.*the one before is served on", caplog.text)))
        assert served.engine() is first
        await anyio.to_thread.run_sync(changed, good, served_from)
        await until(lambda: served.engine().model.manifest.training.data == "good")

    watch(served, steps)


@pytest.mark.parametrize("broken", ["read_bundle", "folder_fingerprint"])
def test_a_failure_that_nobody_thought_of_ends_no_watch(
    tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    served_from = toy_bundle(tmp_path / "toy")
    good = toy_bundle(tmp_path / "good" / "toy", training={"data": "good"})
    served = followed(served_from)

    def fail(path: Path) -> None:
        raise RuntimeError("something new")

    async def steps() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(repository, broken, fail)
            (served_from / "card.md").touch()
            await until(lambda: "something new" in caplog.text)
        await anyio.to_thread.run_sync(changed, good, served_from)
        await until(lambda: served.engine().model.manifest.training.data == "good")

    watch(served, steps)


def at_swaps(served_from: Path, swap: Callable[[Path, str], object], tmp_path: Path) -> None:
    """Serve a bundle in a process of its own while it is swapped for a damaged one, then for a whole one."""
    bundles = [toy_bundle(tmp_path / str(index) / "toy", training={"data": str(index)}) for index in range(3)]
    digests = [read_bundle(bundle).manifest.digest for bundle in bundles]
    (bundles[1] / "card.md").write_bytes(bytes((bundles[1] / "card.md").stat().st_size))
    swap(bundles[0], "..2026_0")
    with running(served_from, "--reload-seconds", "0.05", "--device", "cpu") as service:

        def digest() -> str:
            return httpx2.get(f"{service.url}/decode").headers["X-Model-Digest"]

        assert digest() == digests[0]
        swap(bundles[1], "..2026_1")
        wait_until(lambda: any("card.md: sha256 differs" in line for line in service.log))
        assert digest() == digests[0]
        swap(bundles[2], "..2026_2")
        wait_until(lambda: digest() == digests[2])


def test_a_configmap_is_served_and_followed(tmp_path: Path):
    """Links to files stay as they are: ``..data``, through which they lead, is renamed onto."""
    mounted = tmp_path / "mounted"
    at_swaps(mounted, lambda bundle, date: mount(bundle, mounted, date), tmp_path)


def test_a_link_to_the_folder_is_served_and_followed_as_git_sync_swaps_it(tmp_path: Path):
    link = tmp_path / "current"
    at_swaps(link, lambda bundle, _: swap_link(link, bundle.relative_to(tmp_path)), tmp_path)


def test_a_link_that_leads_nowhere_hides_no_other_change(tmp_path: Path):
    path = toy_bundle(tmp_path / "toy")
    (path / "broken").symlink_to("nowhere")
    before = repository.folder_fingerprint(path)
    (path / "card.md").write_text("changed")
    assert before
    assert repository.folder_fingerprint(path) != before


def test_what_systems_strew_is_no_change_and_a_file_in_a_folder_is_one(tmp_path: Path):
    path = toy_bundle(tmp_path / "toy")
    before = repository.folder_fingerprint(path)
    (path / ".DS_Store").write_text("?")
    assert repository.folder_fingerprint(path) == before
    (path / "sub").mkdir()
    (path / "sub" / "notes").write_text("?")
    assert repository.folder_fingerprint(path) != before


def test_a_model_is_loaded_again_from_links_and_a_fifo_in_the_place_of_a_file_is_a_409(tmp_path: Path):
    mounted = mount(toy_bundle(tmp_path / "toy"), tmp_path / "mounted", "..2026")
    served = ModelRepository(settings(mounted))
    anyio.run(served.load)
    before = served.engine()
    asyncio.run(served.load_model("toy"))
    assert served.engine() is not before
    (mounted / "card.md").unlink()
    os.mkfifo(mounted / "card.md")
    with pytest.raises(Problem, match=r"toy can't be loaded: card\.md: must be a plain file") as caught:
        asyncio.run(served.load_model("toy"))
    assert caught.value.status_code == 409
    served.close()

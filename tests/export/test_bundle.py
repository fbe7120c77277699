import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attributes import Group
from export.bundle import BundleError, read_bundle, seal, writing_bundle
from export.manifest import Manifest
from service.inference.repository import SHIPPED
from tests.export.conftest import digest, edit
from tests.service.toys import toy_bundle


def test_a_bundle_comes_back_as_it_was_written(small_bundle: tuple[Path, Manifest]) -> None:
    bundle = read_bundle(small_bundle[0])
    assert bundle.manifest == small_bundle[1]
    assert bundle.files.keys() == bundle.manifest.files.keys()
    assert bundle.codebook.matrix.shape == (113, 113)


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "codebook.npz", "golden.npz", "card.md"])
def test_a_changed_file_is_refused_by_name(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{name}: sha256 differs"):
        read_bundle(copy)


def test_a_truncated_file_is_refused_by_name(copy: Path) -> None:
    (copy / "decoder.onnx").write_bytes((copy / "decoder.onnx").read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"decoder\.onnx: must be a plain file of \d+ bytes"):
        read_bundle(copy)


def test_a_missing_file_is_refused_by_name(copy: Path) -> None:
    (copy / "codebook.npz").unlink()
    with pytest.raises(BundleError, match=r"codebook\.npz: listed in the manifest, but missing"):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["extra.txt", "sub/extra.txt"])
def test_a_file_that_is_not_listed_is_refused(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("?")
    with pytest.raises(BundleError, match="not listed"):
        read_bundle(copy)


def test_a_link_out_of_the_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "card.md").rename(tmp_path / "card.md")
    (copy / "card.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(BundleError, match=r"card\.md: must be a plain file"):
        read_bundle(copy)


def test_a_listed_file_outside_the_folder_is_refused(copy: Path) -> None:
    edit(copy, lambda manifest: manifest["files"].update({"../card.md": {"sha256": "", "size": 0}}))
    with pytest.raises(BundleError):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(name="other"), "digest does not match"),
        (lambda m: m.update(format=2), "format: "),
        (lambda m: m.update(surprise=1), "surprise: "),
        (lambda m: m["image"].update(channels=2), "image.channels: "),
        (lambda m: m["attributes"][0].update(size=0), "attributes.0"),
        (lambda m: m.pop("latents"), "latents: "),
    ],
)
def test_a_changed_manifest_is_refused_with_the_field(copy: Path, change: Callable[[dict], None], message: str) -> None:
    edit(copy, change)
    with pytest.raises(BundleError, match=message):
        read_bundle(copy)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle here"):
        read_bundle(tmp_path)


def test_a_failed_write_leaves_the_old_bundle(copy: Path) -> None:
    def write() -> None:
        with writing_bundle(copy) as folder:
            (folder / "card.md").write_text("new")
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write()
    read_bundle(copy)
    assert [each.name for each in copy.parent.iterdir()] == ["copy"]


def test_only_a_bundle_is_ever_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(BundleError, match="is no bundle"), writing_bundle(tmp_path / "photos"):
        pytest.fail("nothing may be written")


def test_a_replacement_that_fails_at_the_last_step_leaves_the_old_bundle(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def full(dataset: Path, target: Path) -> None:
        if Path(dataset).name == "new":
            raise OSError("no space left")
        rename(dataset, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="no space"), writing_bundle(copy) as folder:
        (folder / "card.md").write_text("new")
    read_bundle(copy)


def test_the_shipped_bundle_is_valid() -> None:
    written = json.loads((SHIPPED / "dsprites" / "manifest.json").read_text())
    assert read_bundle(SHIPPED / "dsprites").manifest.digest == digest(written)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 1e-300, 10**30, 0.1 + 0.2, "\u00e9\u2028"])
def test_what_is_sealed_can_be_read_whatever_its_scores(tmp_path: Path, score: object) -> None:
    read_bundle(toy_bundle(tmp_path / "toy", scores={"score": score}))


def test_sealing_again_changes_nothing(tmp_path: Path) -> None:
    path = toy_bundle(tmp_path / "toy")
    before = read_bundle(path).manifest
    assert seal(path, before) == before == read_bundle(path).manifest


def test_a_codebook_knows_conditions_and_group(tmp_path: Path) -> None:
    assert read_bundle(toy_bundle(tmp_path / "c", kind="conditional")).codebook.conditions == ("shape", "scale")
    assert read_bundle(toy_bundle(tmp_path / "g", kind="group")).codebook.group == Group("digit", 1.0)

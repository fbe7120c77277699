import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from export.bundle import BundleError, Codebook, Manifest, Part, read_bundle, writing_bundle
from training.attributes import Attribute, Attributes


@pytest.fixture
def copy(small_bundle: tuple[Path, Manifest], tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle[0], tmp_path / "copy"))


def edit(path: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    change(manifest)
    (path / "manifest.json").write_text(json.dumps(manifest))


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


def test_a_codebook_places_weights_and_snaps_what_cannot_be_mixed() -> None:
    attributes = Attributes(
        [
            Attribute(name="kind", kind="nominal", size=2, labels=("a", "b"), default="a"),
            Attribute(name="x", kind="ordinal", size=3),
        ]
    )
    parts = (
        Part(attribute="kind", start=0, stop=1, mixing="nearest"),
        Part(attribute="x", start=1, stop=2),
    )
    matrix = np.array([[0, 0], [10, 0], [0, 0], [0, 1], [0, 2]], np.float32)
    codebook = Codebook(attributes, parts, matrix, np.array([1, 1], np.float32))
    weights = np.array([[0.4, 0.6, 0, 0.5, 0.5]])
    assert codebook.place(weights).tolist() == [[11, 2.5]]
    assert weights.tolist() == [[0.4, 0.6, 0, 0.5, 0.5]]


def test_a_replacement_that_fails_at_the_last_step_leaves_the_old_bundle(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def full(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise OSError("no space left")
        rename(source, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(OSError, match="no space"), writing_bundle(copy) as folder:
        (folder / "card.md").write_text("new")
    read_bundle(copy)


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        ([], "at least one latent part"),
        ([{"attribute": "nobody", "start": 0, "stop": 3}], "names no attribute"),
        ([{"attribute": "shape", "start": 0, "stop": 3}, {"attribute": "scale", "start": 4, "stop": 10}], "follow"),
    ],
)
def test_latent_parts_that_leave_a_dimension_without_an_owner_are_refused(
    small_bundle: tuple[Path, Manifest], latents: list[dict], message: str
) -> None:
    content = small_bundle[1].model_dump(mode="json") | {"latents": latents}
    with pytest.raises(ValueError, match=message):
        Manifest.model_validate(content)

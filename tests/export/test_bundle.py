import hashlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from attributes import Group
from export.bundle import MAX_BYTES, BundleError, read_bundle, seal, writing_bundle
from export.manifest import FileSpec, Manifest
from service.inference.repository import SHIPPED
from tests.export.conftest import NPZ_DAMAGE, digest, edit, replace_sealed
from tests.service.toys import toy_bundle
from tests.support import mount


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


def test_files_may_be_links_as_in_the_cache_of_hugging_face(copy: Path, tmp_path: Path) -> None:
    """``snapshots/REVISION/NAME`` is a link to ``../../blobs/SHA256``."""
    snapshot = tmp_path / "snapshots" / "4f2b"
    snapshot.mkdir(parents=True)
    (tmp_path / "blobs").mkdir()
    for file in copy.iterdir():
        blob = Path("..", "..", "blobs", hashlib.sha256(file.read_bytes()).hexdigest())
        file.rename(snapshot / blob)
        (snapshot / file.name).symlink_to(blob)
    bundle = read_bundle(snapshot)
    assert bundle.files.keys() == bundle.manifest.files.keys()


def test_a_mounted_configmap_is_a_bundle(small_bundle: tuple[Path, Manifest], tmp_path: Path) -> None:
    mounted = mount(small_bundle[0], tmp_path / "mounted", "..2026_11_28_10_00_00.123456789")
    assert read_bundle(mounted).manifest == small_bundle[1]


def test_the_folder_may_be_a_link_as_git_sync_makes_it(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(copy.name)
    assert read_bundle(tmp_path / "current").manifest == read_bundle(copy).manifest


def test_a_folder_of_listed_files_may_be_a_link(tmp_path: Path) -> None:
    """A ConfigMap with ``path: sub/notes.txt`` is mounted as ``sub`` -> ``..data/sub``."""
    path = toy_bundle(tmp_path / "toy")
    (path / "sub").mkdir()
    (path / "sub" / "notes.txt").write_text("!")
    sealed = seal(path, read_bundle(toy_bundle(tmp_path / "plain")).manifest)
    assert "sub/notes.txt" in sealed.files
    mounted = mount(path, tmp_path / "mounted", "..2026")
    assert (mounted / "sub").is_symlink()
    assert read_bundle(mounted).files["sub/notes.txt"] == b"!"


def test_what_a_link_leads_to_must_have_the_listed_bytes(copy: Path, tmp_path: Path) -> None:
    content = (copy / "card.md").read_bytes()
    (tmp_path / "card.md").write_bytes(content[:-1] + b"?")
    (copy / "card.md").unlink()
    (copy / "card.md").symlink_to(tmp_path / "card.md")
    with pytest.raises(BundleError, match=r"card\.md: sha256 differs"):
        read_bundle(copy)


STREWN = [
    ".DS_Store", "._card.md", ".git/config", ".cache/huggingface/x", "Thumbs.db", "desktop.ini", "Desktop.ini",
    "@eaDir/card.md@SynoEAStream", "lost+found/x", "..2026_11_28/card.md", "..data_tmp/card.md", "__MACOSX/._card.md",
]  # fmt: skip


@pytest.mark.parametrize("name", STREWN)
def test_what_systems_strew_is_passed_over(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("?")
    read_bundle(copy)


def test_what_systems_strew_is_not_sealed_either(tmp_path: Path) -> None:
    path = toy_bundle(tmp_path / "toy")
    (path / "._card.md").write_text("?")
    assert "._card.md" not in seal(path, read_bundle(path).manifest).files


def test_a_listed_file_may_have_any_name(tmp_path: Path) -> None:
    path = toy_bundle(tmp_path / "toy")
    manifest = read_bundle(path).manifest
    (path / ".notes").write_text("!")
    notes = FileSpec(sha256=hashlib.sha256(b"!").hexdigest(), size=1)
    rewrite(path, manifest, {**manifest.files, ".notes": notes})
    assert read_bundle(path).files[".notes"] == b"!"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # as absolute paths may be longer than sockets allow


PLAIN = "must be a plain file or a link to one"
NO_FILES: list[tuple[Callable[[Path], None], str]] = [
    (fifo, PLAIN),
    (listening, PLAIN),
    (lambda path: path.symlink_to("/dev/zero"), PLAIN),
    (lambda path: path.symlink_to("nowhere"), "No such file"),
    (loop, "Too many levels"),
]
KINDS = ["FIFO", "socket", "device", "dangling link", "loop"]


@pytest.mark.parametrize("name", ["manifest.json", "card.md"])
@pytest.mark.parametrize(("make", "message"), NO_FILES, ids=KINDS)
def test_what_is_no_file_is_refused_and_never_waited_for(
    copy: Path, name: str, make: Callable[[Path], None], message: str
) -> None:
    (copy / name).unlink()
    make(copy / name)
    with pytest.raises(BundleError, match=rf"{name}\b.*{message}"):
        read_bundle(copy)


@pytest.mark.parametrize("make", [make for make, _ in NO_FILES], ids=KINDS)
def test_what_is_no_file_is_refused_where_it_is_not_listed(copy: Path, make: Callable[[Path], None]) -> None:
    make(copy / "extra")
    with pytest.raises(BundleError, match="extra: not listed"):
        read_bundle(copy)


def test_a_link_to_a_folder_above_is_refused_and_not_followed_for_ever(copy: Path) -> None:
    (copy / "again").symlink_to(".")
    with pytest.raises(BundleError, match="again: not listed"):
        read_bundle(copy)


def test_a_folder_in_the_place_of_a_file_is_refused(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    (copy / "manifest.json").mkdir()
    with pytest.raises(BundleError, match=f"manifest.json: {PLAIN}"):
        read_bundle(copy)


def test_a_file_listed_as_empty_must_be_empty(tmp_path: Path) -> None:
    path = toy_bundle(tmp_path / "toy")
    manifest = read_bundle(path).manifest
    (path / "note").write_text("?")
    empty = FileSpec(sha256=hashlib.sha256(b"").hexdigest(), size=0)
    rewrite(path, manifest, {**manifest.files, "note": empty})
    with pytest.raises(BundleError, match="note: must be a plain file of 0 bytes"):
        read_bundle(path)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "sub/../card.md", "./card.md"])
def test_a_listed_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = toy_bundle(tmp_path / "toy")
    (tmp_path / "outside").write_text("?")
    manifest = read_bundle(path).manifest
    rewrite(path, manifest, {**manifest.files, name: FileSpec(sha256=hashlib.sha256(b"?").hexdigest(), size=1)})
    with pytest.raises(BundleError, match="listed in the manifest, but missing"):
        read_bundle(path)


def rewrite(path: Path, manifest: Manifest, files: dict[str, FileSpec]) -> None:
    """Write a manifest that lists these files, with a digest that is right."""
    content = manifest.model_copy(update={"files": files}).model_dump(mode="json")
    (path / "manifest.json").write_text(json.dumps({**content, "digest": digest(content)}))


def test_a_bundle_that_says_it_is_huge_is_refused_before_it_is_read(copy: Path) -> None:
    def change(manifest: dict) -> None:
        manifest["files"]["card.md"]["size"] = MAX_BYTES
        manifest["digest"] = digest(manifest)

    edit(copy, change)
    with pytest.raises(
        BundleError, match=rf"manifest\.json: lists .*; accepts 256 files of {MAX_BYTES} bytes together"
    ):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["encoder.onnx", "manifest.json"])
def test_a_huge_file_is_refused_by_its_size(copy: Path, name: str) -> None:
    with (copy / name).open("r+b") as file:
        file.truncate(2**40)  # of zeros that take no room on the disk
    with pytest.raises(BundleError, match=rf"{name.replace('.', '[.]')}: (must be a plain file of|has {2**40} bytes)"):
        read_bundle(copy)


def test_more_files_than_a_bundle_has_are_refused(copy: Path) -> None:
    def change(manifest: dict) -> None:
        manifest["files"] |= {f"{index}.txt": {"sha256": "", "size": 0} for index in range(256)}
        manifest["digest"] = digest(manifest)

    edit(copy, change)
    with pytest.raises(BundleError, match="accepts 256 files"):
        read_bundle(copy)


def test_folders_without_end_are_refused(copy: Path) -> None:
    (copy / "/".join("d" * 30)).mkdir(parents=True)
    with pytest.raises(BundleError, match="more than 16 folders deep"):
        read_bundle(copy)


def test_what_would_not_be_loaded_is_not_sealed(tmp_path: Path) -> None:
    path = toy_bundle(tmp_path / "toy")
    manifest = read_bundle(path).manifest
    for index in range(256):
        (path / f"{index}.txt").touch()
    with pytest.raises(BundleError, match="accepts 256 files"):
        seal(path, manifest)


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


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(copy: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(copy.name)
    with writing_bundle(link) as folder:
        (folder / "card.md").write_text("new")
    assert os.readlink(link) == copy.name
    assert [each.name for each in copy.iterdir()] == ["card.md"]
    assert {each.name for each in tmp_path.iterdir()} == {"copy", "current"}


def test_a_bundle_is_written_to_where_a_link_leads_that_had_nothing_there(tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to("disk/new")
    with writing_bundle(link) as folder:
        (folder / "card.md").write_text("new")
    assert (tmp_path / "disk" / "new" / "card.md").read_text() == "new"


def test_a_bundle_of_links_is_replaced_and_what_they_lead_to_stays(copy: Path, tmp_path: Path) -> None:
    (copy / "card.md").rename(tmp_path / "blob")
    (copy / "card.md").symlink_to(tmp_path / "blob")
    with writing_bundle(copy) as folder:
        (folder / "card.md").write_text("new")
    assert (tmp_path / "blob").read_text() != "new"
    assert not (copy / "card.md").is_symlink()


def test_a_link_to_itself_is_no_place_for_a_bundle(tmp_path: Path) -> None:
    loop(tmp_path / "loop")
    with pytest.raises(BundleError, match="leads back to itself"), writing_bundle(tmp_path / "loop"):
        pytest.fail("nothing may be written")


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


@pytest.mark.parametrize("damage", NPZ_DAMAGE, ids=lambda damage: damage.__name__)
def test_arrays_that_numpy_can_not_read_are_a_bundle_error(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = toy_bundle(tmp_path / "toy")
    replace_sealed(path, "codebook.npz", damage)
    with pytest.raises(BundleError, match=r"codebook\.npz: "):
        _ = read_bundle(path).codebook


def test_a_codebook_knows_conditions_and_group(tmp_path: Path) -> None:
    assert read_bundle(toy_bundle(tmp_path / "c", kind="conditional")).codebook.conditions == ("shape", "scale")
    assert read_bundle(toy_bundle(tmp_path / "g", kind="group")).codebook.group == Group("digit", 1.0)

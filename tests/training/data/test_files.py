"""Trees of files."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from training.data.dataset import DataError
from training.data.files import Archive, Archives, Folder, open_files

CONTENT = {"orc/1.png": b"one", "orc/2.png": b"two", "elf/1.png": b"three", "labels.csv": b"file"}
STREWN = {".DS_Store": b"", "__MACOSX/orc/._1.png": b"", "orc/Thumbs.db": b"", ".git/config": b""}


def folder(path: Path) -> Path:
    for name, data in (CONTENT | STREWN).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zipped(path: Path, below: str = "", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (CONTENT | STREWN).items():
            archive.writestr(below + name, data)
    return path


def tarred(path: Path, below: str = "") -> Path:
    mode = {".gz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz", ".tar": "w"}[path.suffix]
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in (CONTENT | STREWN).items():
            info = tarfile.TarInfo(below + name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_a_folder_and_all_archives_hold_the_same(tmp_path: Path) -> None:
    trees = [open_files(folder(tmp_path / "art"))]
    for below in ("", "art/", "./"):
        trees.append(open_files(zipped(tmp_path / f"a{len(trees)}.zip", below)))
        trees += [
            open_files(tarred(tmp_path / f"b{len(trees)}{end}", below))
            for end in (".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
        ]
    for tree in trees:
        assert list(tree.names) == sorted(CONTENT)
        assert {name: tree.read(name) for name in tree.names} == CONTENT
        assert tree.find("orc/../elf/./1.png") == "elf/1.png"
        assert tree.has("orc/1.png")
        assert not tree.has("orc/3.png")


@pytest.mark.parametrize("name", ["../secret.png", "/etc/hosts", "orc/../../secret.png"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    for tree in (Folder(folder(tmp_path / "art")), Archive(zipped(tmp_path / "a.zip"))):
        assert not tree.has(name)
        with pytest.raises(DataError):
            tree.find(name)


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_an_archive_that_is_cut_off_is_refused_by_name(tmp_path: Path, end: str) -> None:
    path = zipped(tmp_path / f"a{end}") if end == ".zip" else tarred(tmp_path / f"a{end}")
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2 + 7):
        path.write_bytes(whole[:length])
        with pytest.raises(
            DataError, match=rf"a{end}: can't be read, or is no whole archive .*archives are \.zip, \.tar"
        ):
            Archive(path)


def test_a_damaged_or_encrypted_member_is_refused_by_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", method=zipfile.ZIP_STORED)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"three", b"thref"))
    with pytest.raises(DataError, match=r"a.zip: 'elf/1.png' can't be read: damaged, or encrypted \(Bad CRC-32"):
        Archive(path).read("elf/1.png")
    locked = bytearray(whole)
    for start in (whole.find(b"PK\x03\x04"), whole.find(b"PK\x01\x02")):
        locked[start + (6 if locked[start + 2] == 3 else 8)] |= 1  # the flag of encryption, of the first member
    path.write_bytes(bytes(locked))
    with pytest.raises(DataError, match="is encrypted"):
        Archive(path).read("orc/1.png")


def test_the_state_changes_with_a_file_and_only_then(tmp_path: Path) -> None:
    tree = Folder(folder(tmp_path / "art"))
    before = tree.state("orc/1.png")
    assert Folder(tmp_path / "art").state("orc/1.png") == before
    (tmp_path / "art" / "orc" / "1.png").write_bytes(b"other bytes")
    assert Folder(tmp_path / "art").state("orc/1.png") != before


def test_a_folder_of_archives_holds_what_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "art").mkdir()
    zipped(tmp_path / "art" / "a.zip")
    tarred(tmp_path / "art" / "b.tar")
    tree = open_files(tmp_path / "art")
    assert isinstance(tree, Archives)
    assert len(tree.names) == 2 * len(CONTENT)
    assert tree.read("b.tar/elf/1.png") == b"three"
    assert tree.find("a.zip/labels.csv") == "a.zip/labels.csv"
    with pytest.raises(DataError, match="there is no image"):
        tree.find("c.zip/labels.csv")
    assert tree.state("a.zip/labels.csv") != tree.state("b.tar/labels.csv")

"""Encodings and separators: what is read, and what is refused as it might be something else."""

from pathlib import Path

import pytest

from tests.training.data.folders import MakeFolder, only, refusal
from training.data.csv_text import decoded, separator
from training.data.dataset import DataError
from training.data.image_dataset import ImageDataset

FILE = Path("labels.csv")


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "read as UTF-16"),
        ("cp1252", "not UTF-8, read as Windows-1252: 'Größe' in row 3"),
        ("latin-1", "not UTF-8, read as Windows-1252: 'Größe' in row 3"),
    ],
)
def test_each_encoding_gives_the_same_text_and_says_what_it_was(encoding: str, note: str) -> None:
    text = "file,x\r\n0.png,a\r\n1.png,Größe à 90° café\r\n"
    assert decoded(FILE, text.encode(encoding)) == (text, note)


def test_utf16_of_either_byte_order_is_read_by_its_mark() -> None:
    for order, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert decoded(FILE, mark + "file,Привет".encode(order)) == ("file,Привет", "read as UTF-16")
        with pytest.raises(DataError, match=r"^labels\.csv, row 1: is not UTF-8, but UTF-16 without .*; save the"):
            decoded(FILE, "file,x".encode(order))
    with pytest.raises(DataError, match=r"labels\.csv, row 2: is not UTF-16, as its first bytes say; save"):
        decoded(FILE, b"\xff\xfe" + "a\nb".encode("utf-16-le") + b"\0")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Привет", "cp1251"),
        ("Привет", "koi8-r"),
        ("γάτα", "cp1253"),
        ("שלום", "cp1255"),
        ("żółw", "cp1250"),
        ("kuş", "cp1254"),
        ("Zwölf", "cp850"),
        ("Zwölf", "mac-roman"),
        ("猫", "shift-jis"),
        ("猫咪", "gbk"),
        ("고양이", "euc-kr"),
        ("100 €", "cp1252"),
        ("Zwölf ", "utf-8"),
    ],
)
def test_what_may_be_another_encoding_is_refused_with_its_row(text: str, encoding: str) -> None:
    data = b"file,x\n0.png,a\n1.png," + text.encode(encoding) + (b"\xe9" if encoding == "utf-8" else b"")
    expected = r"^labels.csv, row 3: is not UTF-8, and the bytes [0-9a-f ]+ are of an enc.*; save the file as UTF-8$"
    with pytest.raises(DataError, match=expected):
        decoded(FILE, data)


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("file,x;y\n", ","),
        ("file;x,y\n", ";"),
        ("file\tx;y,z\n", "\t"),
        ('\n\n"file" ;x\n', ";"),
        ("file\n", ","),
        ("name;x\n", ";"),
        ("", ","),
    ],
)
def test_the_separator_is_the_one_after_the_first_cell(text: str, between: str) -> None:
    assert separator(text) == between


def test_a_folder_with_a_table_of_excel_is_read(folder: MakeFolder, capsys: pytest.CaptureFixture) -> None:
    path = folder("x", ["0", "1"])
    (path / "labels.csv").write_bytes("file;größe\r\n0.png;Zwölf\r\n1.png;b\r\n".encode("cp1252"))
    assert only(ImageDataset(path)).labels == ("Zwölf", "b")
    said = capsys.readouterr().err
    assert "labels.csv: 2 rows; not UTF-8, read as Windows-1252: 'größe' in row 1; cells with a semicolon" in said
    (path / "labels.csv").write_bytes("file;x\n0.png;Привет\n1.png;b\n".encode("cp1251"))
    assert f"{path / 'labels.csv'}, row 2: is not UTF-8" in refusal(path)

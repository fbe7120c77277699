"""The table: errors name file and row."""

from pathlib import Path

import pytest

from tests.training.data.folders import MakeFolder, only, refusal
from training.data.folder import FolderDataset


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", ": is empty"),
        ("\n\n", ": is empty"),
        ("file,x\n", ": has a header, but no rows"),
        ("file\n0.png\n", "row 1: needs a column for at least one attribute"),
        ("0.png,1\n1.png,2\n", "row 1: the first column must be 'file', got '0.png'; is the header missing?"),
        ("x,file\n1,0.png\n", "row 1: the first column must be 'file', got 'x'"),
        ("file,x,x\n0.png,1,2\n", "row 1: there are 2 columns 'x'"),
        ("file,x,file\n0.png,1,2\n", "row 1: there are 2 columns 'file'"),
        ("file,my x\n0.png,1\n", "row 1: column 'my x' can't name an attribute"),
        ("file,\n0.png,1\n", "row 1: column '' can't name an attribute"),
        ("file,x\n0.png\n", "row 2: has 1 cells, the header has 2"),
        ("file,x\n0.png,1\n1.png,2,3\n", "row 3: has 3 cells, the header has 2"),
        ("file,x\n0.png,1\n\n0.png,2\n", "row 4: '0.png' is listed already"),
        ("file,x\n0.png,1\n./0.png,2\n", "row 3: './0.png' is listed already"),
        ("file,x\n0.png,1\n9.png,2\n", "row 3: there is no image '9.png'"),
        ("file,x\n,1\n", "row 2: there is no image ''"),
        ("file,x\n../0.png,1\n", "row 2: '../0.png' lies outside the folder"),
        ("file,x\n/etc/hosts,1\n", "row 2: '/etc/hosts' lies outside the folder"),
        ("file,x\n0\0.png,1\n", "row 2: '0\\x00.png' can't name a file"),
        ('file,x\n0.png,"1\n', "row 2: is not CSV"),
        ('file,x\n"0.png"a,1\n', "row 2: is not CSV"),
        ("file,x\n0.png,0.5\n1.png,nan\n", "row 3: x is 'nan', not a finite number"),
        ("file,x\n0.png,0.5\n1.png,inf\n", "row 3: x is 'inf', not a finite number"),
        ('file,x\n"0.png","a\nb"\n1.png\n', "row 4: has 1 cells"),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_file_and_row(folder: MakeFolder, text: str, hint: str) -> None:
    path = folder("x", ["0", "1"])
    (path / "labels.csv").write_text(text, "utf-8", newline="")
    message = refusal(path)
    assert message.startswith(str(path / "labels.csv"))
    assert hint in message


def test_a_cell_that_is_no_number_is_named_with_its_row(folder: MakeFolder) -> None:
    path = folder("x,y", ["0,1", "1,", "2,one"])
    assert f"{path / 'labels.csv'}, row 4: y is 'one', not a finite number" in refusal(path, "y=continuous")


def test_absurd_numbers_are_refused_without_overflow(folder: MakeFolder) -> None:
    assert "1e+308" in refusal(folder("x", ["-1e308", "1e308"]))
    path = folder("x", ["0", "1e308"])
    assert "row 3: x is 1e308" in refusal(path, "x=ordinal:3:range=0..0.1")
    assert "row 3: x is 1e308" in refusal(path, "x=circular:3:range=0..0.1")


def test_a_link_out_of_the_folder_is_refused(folder: MakeFolder, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = folder("x", ["0", "1"])
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "1.png"
    (path / "1.png").rename(elsewhere)
    (path / "1.png").symlink_to(elsewhere)
    assert "row 3: '1.png' lies outside" in refusal(path)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_byte_order_mark_blank_lines_spaces_and_line_endings_do_not_matter(folder: MakeFolder, ending: str) -> None:
    path = folder("x", ["0", "1"])
    lines = ["file, x", "", '"0.png", Zwölf', "1.png ,b", ""]
    (path / "labels.csv").write_text(ending.join(lines), "utf-8-sig", newline="")
    assert only(FolderDataset(path)).labels == ("Zwölf", "b")


def test_what_is_not_utf8_is_refused_with_its_row(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    (path / "labels.csv").write_text("file,x\n0.png,a\n1.png,Zwölf\n", "latin-1")
    assert "labels.csv, row 3: is not UTF-8" in refusal(path)
    (path / "labels.csv").write_text("file,x\n0.png,a\n", "utf-16")
    assert "labels.csv, row 1: is not UTF-8" in refusal(path)


def test_a_folder_without_table_is_refused(tmp_path: Path) -> None:
    assert f"{tmp_path / 'labels.csv'}: can't be read (No such file or directory)" in refusal(tmp_path)

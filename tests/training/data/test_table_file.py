"""The table: errors name file and row."""

import pytest

from tests.training.data.folders import MakeFolder, only, refusal
from training.data.image_dataset import ImageDataset


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
        (
            "file|x\n0.png|1\n",
            "got 'file|x'; is the header missing? Columns are separated by commas, semicolons",
        ),
        ("file,x\n0.png\n", "row 2: has 1 cells with a comma between them, the header has 2"),
        ("file,x\n0.png,1\n1.png,2,3\n", "row 3: has 3 cells with a comma between them, the header has 2; a comma w"),
        ("file;x\n0.png,1\n", "row 2: has 1 cells with a semicolon between them, the header has 2"),
        ("file\tx\n0.png\t1\t2\n", "row 2: has 3 cells with a tab between them, the header has 2; a tab within a cell"),
        ("file;x,y\n0.png;1\n", "row 1: column 'x,y' can't name an attribute"),
        ("file,x\n0.png,1\n\n0.png,2\n", "row 4: '0.png' is listed already"),
        ("file,x\n0.png,1\n./0.png,2\n", "row 3: './0.png' is listed already"),
        ("file,x\n0.png,1\n9.png,2\n", "row 3: there is no image '9.png'"),
        ("file,x\n,1\n", "row 2: there is no image ''"),
        ("file,x\n../0.png,1\n", "row 2: '../0.png' lies outside the folder"),
        ("file,x\n/etc/hosts,1\n", "row 2: '/etc/hosts' lies outside the folder"),
        ("file,x\n0\0.png,1\n", "row 2: '0\\x00.png' can't name a file"),
        ('file,x\n0.png,"1\n', "row 2: is not CSV"),
        ('file,x\n"0.png"a,1\n', "row 2: is not CSV"),
        ("file,x\n0.png,0.5\n1.png,NAN\n", "row 3: x is 'NAN', not a finite number"),
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
    assert only(ImageDataset(path)).labels == ("Zwölf", "b")


@pytest.mark.parametrize("between", [";", "\t"])
def test_semicolons_and_tabs_separate_cells_and_it_is_said(
    folder: MakeFolder, between: str, capsys: pytest.CaptureFixture
) -> None:
    path = folder("x", ["0", "1"])
    lines = [["file", "x", "y"], ["0.png", '"a;b\tc,d"', "1"], ['"1.png"', "e", "2"]]
    (path / "labels.csv").write_text("\n".join(map(between.join, lines)), "utf-8")
    dataset = ImageDataset(path)
    assert [attribute.kind for attribute in dataset.attributes] == ["nominal", "ordinal"]
    assert dataset.attributes["x"].labels == ("a;b\tc,d", "e")
    name = {";": "semicolon", "\t": "tab"}[between]
    assert f"labels.csv: 2 rows; cells with a {name} between them\n" in capsys.readouterr().err


def test_a_comma_in_a_file_of_commas_is_no_decimal_comma(folder: MakeFolder) -> None:
    assert only(ImageDataset(folder("tile", ['"3,4"', '"1,5"']))).labels == ("1,5", "3,4")

"""Folders written by the tests: what is inferred, what overrides change, and that errors name file and row."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attributes import Attribute, Attributes
from training.data.dataset import DataError, Dataset, lowest_tenth
from training.data.folder import FolderDataset, Override, parse_attribute

MakeFolder = Callable[..., Path]


def picture(seed: int, mode: str = "L", size: tuple[int, int] = (32, 28)) -> Image.Image:
    """Random pixels; ``size`` is width, height, as everywhere in Pillow."""
    channels = {"L": 1, "RGB": 3, "RGBA": 4}[mode]
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], channels), np.uint8)
    return Image.fromarray(pixels.squeeze())


@pytest.fixture
def folder(tmp_path: Path) -> MakeFolder:
    """Makes a folder of grey 0.png, 1.png ... with these cells beside them, one text for each row."""

    def make(header: str, rows: Sequence[str], images: Sequence[Image.Image] = ()) -> Path:
        for i in range(len(rows)):
            (images[i] if images else picture(i)).save(tmp_path / f"{i}.png")
        lines = [f"file,{header}", *(f"{i}.png,{row}" for i, row in enumerate(rows))]
        (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
        return tmp_path

    return make


def only(dataset: FolderDataset) -> Attribute:
    (attribute,) = dataset.attributes
    return attribute


def targets(dataset: FolderDataset) -> list[list[float]]:
    rows: list[list[float]] = dataset.batch(np.arange(len(dataset))).targets.tolist()
    return rows


def refusal(path: Path, *overrides: str, attributes: Attributes | None = None) -> str:
    with pytest.raises(DataError) as caught:
        FolderDataset(path, overrides, attributes)
    return str(caught.value)


# what columns become


def test_text_is_nominal_with_sorted_labels_and_the_most_frequent_as_default(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("kind", ["orc", "elf", "orc", "1"]))
    assert only(dataset) == Attribute(name="kind", kind="nominal", size=3, labels=("1", "elf", "orc"), default="orc")
    assert targets(dataset) == [[0, 0, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_whole_numbers_are_ordinal_from_the_least_to_the_greatest(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("level", ["7", "4", "5.0", "5"]))
    assert only(dataset) == Attribute(name="level", kind="ordinal", size=4, range=(4, 7), default=1)
    assert targets(dataset) == [[0, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]


def test_decimals_are_continuous_with_measured_range_and_median(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("weight", ["-1.5", "4", "2.25", "3"]))
    assert only(dataset) == Attribute(name="weight", kind="continuous", range=(-1.5, 4), default=2.625)
    assert targets(dataset) == [[-1.5], [4], [2.25], [3]]


def test_an_underscore_makes_a_label_not_a_number(folder: MakeFolder) -> None:
    assert only(FolderDataset(folder("tile", ["1_2", "1_3"]))).labels == ("1_2", "1_3")


def test_an_empty_cell_is_unlabelled_and_counts_for_nothing(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("kind,weight", ["orc,", ",2.5", ",0.5", "  ,1.5"]))
    batch = dataset.batch(np.arange(4))
    assert batch.known.tolist() == [[True, False], [False, True], [False, True], [False, True]]
    assert batch.targets.tolist() == [[1, 0], [0, 2.5], [0, 0.5], [0, 1.5]]
    assert [attribute.default for attribute in dataset.attributes] == ["orc", 1.5]


def test_256_classes_are_inferred_and_257_need_an_override(folder: MakeFolder) -> None:
    assert only(FolderDataset(folder("id", ["1", "256"]))).size == 256
    path = folder("id", ["0", "256"])
    assert "257 classes" in refusal(path)
    assert "--attribute id=ordinal:SIZE" in refusal(path)
    assert only(FolderDataset(path, ["id=ordinal:257"])).size == 257
    assert only(FolderDataset(path, ["id=continuous"])).range == (0, 256)


@pytest.mark.parametrize(("cells", "hint"), [(["3", "3"], "one value only"), (["", ""], "column 'x' is empty; label")])
def test_a_column_that_tells_nothing_is_refused(folder: MakeFolder, cells: list[str], hint: str) -> None:
    assert hint in refusal(folder("x", cells))


def test_images_of_which_nothing_is_known_may_all_be_the_same_word(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    (path / "labels.csv").write_text("file\n0.png\n1.png\n")
    assert "add one with the same word in every row" in refusal(path)
    assert only(FolderDataset(folder("kind", ["sprite", "sprite"]))).labels == ("sprite",)


# overrides


def test_a_circular_override_wraps_and_blends(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("hue", ["0", "35.5", "36", "-1"]), ["hue=circular:36:period=36"])
    expected = np.zeros((4, 36))
    expected[0, 0] = expected[2, 0] = expected[3, 35] = 1
    expected[1, [35, 0]] = 0.5
    assert targets(dataset) == expected.tolist()
    assert only(dataset).default == 0


def test_a_period_is_the_size_unless_given(folder: MakeFolder) -> None:
    path = folder("hue", ["0", "4"])
    assert only(FolderDataset(path, ["hue=circular:4"])).period == 4
    assert only(FolderDataset(path, ["hue=circular:5:period=4"])).period == 4


def test_cells_of_an_override_with_a_range_are_in_units(folder: MakeFolder) -> None:
    override = "size=ordinal:6:range=0.5..1.0:unit=metres:default=0.9"
    dataset = FolderDataset(folder("size", ["0.7", "0.55", "1", "0.5"]), [override])
    assert only(dataset) == Attribute(name="size", kind="ordinal", size=6, range=(0.5, 1), unit="metres", default=4)
    expected = [[0, 0, 1, 0, 0, 0], [0.5, 0.5, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0]]
    assert targets(dataset) == expected


def test_degrees_work_with_the_range_of_first_and_last_class(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("hue", ["0", "355", "360", "90"]), ["hue=circular:36:range=0..350:unit=degrees"])
    assert np.array(targets(dataset))[[0, 1, 1, 2, 3], [0, 0, 35, 0, 9]].tolist() == [1, 0.5, 0.5, 1, 1]


def test_an_ordinal_override_without_size_takes_whole_numbers_and_fractions_between(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("level", ["1", "2.5", "3"]), ["level=ordinal"])
    assert targets(dataset) == [[1, 0, 0], [0, 0.5, 0.5], [0, 0, 1]]
    assert "give its classes" in refusal(folder("level", ["1", "2.5"]), "level=ordinal")


def test_a_nominal_override_reads_numbers_as_labels(folder: MakeFolder) -> None:
    path = folder("digit", ["3", "1", "3"])
    assert only(FolderDataset(path, ["digit=nominal"])).labels == ("1", "3")
    dataset = FolderDataset(path, ["digit=nominal:labels=3|2|1:default=2"])
    assert only(dataset) == Attribute(name="digit", kind="nominal", size=3, labels=("3", "2", "1"), default="2")
    assert targets(dataset) == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_overrides_leave_other_columns_alone(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("a,b", ["0,0", "1,1"]), ["b=continuous:range=-1..3"])
    assert [(attribute.kind, attribute.range) for attribute in dataset.attributes] == [
        ("ordinal", (0, 1)),
        ("continuous", (-1, 3)),
    ]


def test_parse_attribute_reads_every_option() -> None:
    assert parse_attribute("hue=circular:40:period=39:range=0..6.28:unit=radians:default=-1") == Override(
        name="hue", kind="circular", size=40, period=39, range=(0, 6.28), unit="radians", default="-1"
    )
    assert parse_attribute("t=continuous:range=-1.5..-.5").range == (-1.5, -0.5)
    assert parse_attribute("kind=nominal:labels=a|b c| d").labels == ("a", "b c", "d")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("hue", "needs a name and one of the kinds nominal, ordinal, circular, continuous"),
        ("=ordinal", "needs a name"),
        ("hue=cyclic:3", "one of the kinds"),
        ("hue=circular", "needs its SIZE"),
        ("hue=circular:many", "whole numbers"),
        ("hue=circular:36:period=1.5", "whole numbers"),
        ("hue=ordinal:3:range=1-2", "LO..HI"),
        ("hue=ordinal:3:range=1..two", "LO..HI"),
        ("hue=ordinal:3:period=3", "takes range, unit, default, not 'period'"),
        ("hue=ordinal:3:4", "not '4'"),
        ("hue=nominal:range=0..1", "takes labels, default"),
        ("hue=nominal:labels=a||b", "label can't be empty"),
        ("hue=ordinal:3:unit=", "unit needs one value"),
        ("hue=ordinal:3:unit=m:unit=m", "unit needs one value"),
    ],
)
def test_parse_attribute_says_what_is_wrong_and_shows_the_form(text: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_attribute(text)
    assert hint in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "NAME=KIND[:SIZE]" in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "hint"),
    [
        (["y=ordinal"], "no column 'y' to override, only x"),
        (["x=ordinal", "x=continuous"], "'x' is overridden twice"),
        (["x=ordinal:2"], "row 3: x is 2, outside 0 to 1"),
        (["x=ordinal:3:default=5"], "the default of attribute 'x': x is '5'"),
        (["x=nominal:labels=0|1"], "row 3: x is '2', not one of 0, 1"),
        (["x=nominal:4"], "needs 4 different labels"),
        (["x=circular:3:period=4"], "whole period from 3 to its size 3"),
        (["x=continuous:range=2..0"], "the lower first"),
        (["x=continuous:3"], "size 3"),
        (["x=ordinal:2000"], "size 2000"),
    ],
)
def test_overrides_that_do_not_fit_are_refused(folder: MakeFolder, overrides: list[str], hint: str) -> None:
    message = refusal(folder("x", ["0", "2"]), *overrides)
    assert hint.replace("'5'", "5") in message


# the saved vocabulary


def test_saved_attributes_stay_as_they_were_when_rows_are_added(folder: MakeFolder) -> None:
    before = FolderDataset(folder("kind,level", ["orc,2", "elf,3", "elf,4"]))
    saved = json.loads(json.dumps([asdict(attribute) for attribute in before.attributes]))
    attributes = Attributes(
        [Attribute(**(each | {"labels": tuple(each["labels"]), "range": tuple(each["range"])})) for each in saved]
    )
    after = FolderDataset(folder("level,new,kind", ["2,x,orc", "3,y,elf", "4,,elf", "3,,orc"]), attributes=attributes)
    assert after.attributes == before.attributes
    assert targets(after)[:3] == targets(before)
    assert targets(after)[3] == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("row", "hint"),
    [("ant,3", "row 5: kind is 'ant', not one of elf, orc"), ("elf,5", "row 5: level is 5, outside 2 to 4")],
)
def test_a_cell_outside_saved_attributes_is_refused(folder: MakeFolder, row: str, hint: str) -> None:
    rows = ["orc,2", "elf,3", "elf,4"]
    attributes = FolderDataset(folder("kind,level", rows)).attributes
    path = folder("kind,level", [*rows, row])
    assert f"{path / 'labels.csv'}, {hint}" in refusal(path, attributes=attributes)


def test_saved_attributes_need_their_columns_and_take_no_overrides(folder: MakeFolder) -> None:
    attributes = FolderDataset(folder("kind", ["orc", "elf"])).attributes
    assert "overrides can't change them" in refusal(folder("kind", ["orc"]), "kind=nominal", attributes=attributes)
    assert "no column 'kind', only level" in refusal(folder("level", ["1", "2"]), attributes=attributes)
    assert "column 'kind' is empty" in refusal(folder("kind", ["", ""]), attributes=attributes)


# images


def test_images_come_back_bit_by_bit_in_the_order_asked_for(folder: MakeFolder) -> None:
    images = [picture(i, "RGB", (40, 29)) for i in range(3)]
    dataset = FolderDataset(folder("x", ["0", "1", "2"], images))
    assert (len(dataset), dataset.image_shape, dict(dataset.ceilings)) == (3, (29, 40, 3), {})
    batch = dataset.batch(np.array([2, 0]))
    assert batch.images.dtype == np.uint8
    assert np.array_equal(batch.images, np.stack([np.asarray(images[2]), np.asarray(images[0])]))
    assert batch.targets.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("modes", "channels"),
    [
        (["L", "L"], 1),
        (["L", "1"], 1),
        (["L", "RGB"], 3),
        (["P", "L"], 3),
        (["RGB", "RGBA"], 4),
        (["L", "LA"], 4),
        (["P", "P+transparent"], 4),
        (["RGB", "RGB+transparent"], 4),
    ],
)
def test_the_richest_image_decides_the_channels_of_all(folder: MakeFolder, modes: list[str], channels: int) -> None:
    images = []
    for i, mode in enumerate(modes):
        image = picture(i, "RGB").convert(mode.split("+")[0])
        if mode.endswith("+transparent"):
            image.info["transparency"] = 0 if mode[0] == "P" else (1, 2, 3)
        images.append(image)
    dataset = FolderDataset(folder("x", ["0", "1"], images))
    assert dataset.image_shape == (28, 32, channels)
    assert len(np.unique(dataset.batch(np.arange(2)).images, axis=0)) == 2


def test_grey_in_a_coloured_folder_repeats_its_channel_and_is_opaque(folder: MakeFolder) -> None:
    images = [picture(0), picture(1, "RGBA")]
    grey, coloured = FolderDataset(folder("x", ["0", "1"], images)).batch(np.arange(2)).images
    assert np.array_equal(grey[..., :3], np.repeat(np.asarray(images[0])[..., None], 3, axis=2))
    assert (grey[..., 3] == 255).all()
    assert np.array_equal(coloured, np.asarray(images[1]))


@pytest.mark.parametrize("form", ["bmp", "gif", "jpg", "webp"])
def test_other_formats_are_read(tmp_path: Path, form: str) -> None:
    Image.new("RGB", (28, 128), (200, 0, 0)).save(tmp_path / f"a.{form}")
    (tmp_path / "labels.csv").write_text(f"file,x\na.{form},orc\n")
    dataset = FolderDataset(tmp_path)
    assert dataset.image_shape == (128, 28, 3)
    assert np.abs(dataset.batch(np.array([0])).images[0, 0, 0].astype(int) - [200, 0, 0]).max() < 8


def test_the_split_goes_by_sha256_of_the_pixels_so_that_copies_share_a_side(folder: MakeFolder) -> None:
    images = [picture(i % 300) for i in range(600)]
    dataset = FolderDataset(folder("x", [str(i % 7) for i in range(600)], images))
    digests = [hashlib.sha256(np.asarray(image).tobytes()).digest()[:8] for image in images]
    keys = np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)
    side = dataset.held_out
    assert np.array_equal(side, lowest_tenth(keys))
    assert (side[:300] == side[300:]).all()
    assert 0 < side.sum() < 300


@pytest.mark.parametrize("size", [(27, 64), (64, 129), (9000, 9000)])
def test_sides_outside_28_to_128_are_refused(folder: MakeFolder, size: tuple[int, int]) -> None:
    message = refusal(folder("x", ["0", "1"], [Image.new("1", size)] * 2))
    assert f"row 2: '0.png' is {size[0]} x {size[1]} (width x height); each must be 28 to 128" in message


def test_an_image_of_another_size_is_named_with_what_the_first_one_has(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"], [picture(0), picture(1, size=(32, 29))])
    table = path / "labels.csv"
    expected = f"{table}, row 3: '1.png' is 32 x 29 (width x height), but the first image, '0.png' ({table}, row 2), "
    assert expected + "is 32 x 28" in refusal(path)


def test_sixteen_bits_and_animations_are_refused(folder: MakeFolder) -> None:
    deep = Image.fromarray(np.full((28, 32), 4096, np.uint16))
    assert "row 3: '1.png' has I;16 pixels" in refusal(folder("x", ["0", "1"], [picture(0), deep]))
    path = folder("x", ["0", "1"])
    picture(0).save(path / "1.png", save_all=True, append_images=[picture(1)])
    assert "row 3: '1.png' is an animation" in refusal(path)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"no image"])
def test_a_damaged_image_is_named_with_its_row(folder: MakeFolder, damage: Callable[[bytes], bytes]) -> None:
    path = folder("x", ["0", "1"])
    (path / "1.png").write_bytes(damage((path / "1.png").read_bytes()))
    assert f"{path / 'labels.csv'}, row 3: '1.png' is damaged" in refusal(path)


def test_a_format_is_told_by_content_and_others_stay_closed(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    picture(0).save(path / "1.png", format="TIFF")
    assert "row 3: '1.png' is damaged, or not one of PNG, JPEG, GIF, BMP, WEBP" in refusal(path)


# the table


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


def test_images_may_lie_in_folders_below(folder: MakeFolder) -> None:
    path = folder("x", ["0", "1"])
    (path / "below").mkdir()
    (path / "0.png").rename(path / "below" / "0.png")
    (path / "labels.csv").write_text("file,x\nbelow/0.png,a\n1.png,b\n")
    assert len(FolderDataset(path)) == 2


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


def test_a_turned_image_is_read_upright_as_the_service_reads_it(folder: MakeFolder) -> None:
    path = folder("level", ["0", "1"])
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rows are columns
    sideways = picture(0, size=(28, 32))
    sideways.save(path / "0.png", exif=exif)
    image = FolderDataset(path).batch(np.array([0])).images[0, :, :, 0]
    assert (image == np.rot90(np.asarray(sideways), -1)).all()


def test_other_labels_are_other_content_but_the_same_split(folder: MakeFolder) -> None:
    first = FolderDataset(folder("level", ["0", "1", "1"]))
    second = FolderDataset(folder("level", ["1", "0", "1"]))
    assert first.content != second.content
    assert (first.held_out == second.held_out).all()


def test_labelled_is_what_batches_know(folder: MakeFolder) -> None:
    dataset = FolderDataset(folder("level,kind", ["0,", ",", "1,a"]))
    assert dataset.labelled.tolist() == [[True, False], [False, False], [True, True]]
    assert np.array_equal(dataset.batch(np.arange(3)).known, dataset.labelled)


def test_nothing_is_rendered_between_images(folder: MakeFolder) -> None:
    dataset: Dataset = FolderDataset(folder("level", ["0", "1"]))
    assert dataset.render(np.zeros((1, 1))) is None

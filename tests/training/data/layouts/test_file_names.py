"""Names that carry values."""

from pathlib import Path

import pytest

from tests.training.data.folders import picture, refusal
from training.data.image_dataset import ImageDataset
from training.data.reading import Reading


def write(root: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        picture(i).save(root / name)
    return root


@pytest.mark.parametrize("pattern", ["{skin}_{hair}_{frame}.png", "{skin}_{hair}_{frame}"])
def test_fields_become_attributes(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "pale_red_0.png", "dark_long-black_1.png", "pale_red_2.png")
    dataset = ImageDataset(tmp_path, reading=Reading(pattern=pattern))
    assert [(each.name, each.kind) for each in dataset.attributes] == [
        ("skin", "nominal"),
        ("hair", "nominal"),
        ("frame", "ordinal"),
    ]
    assert dataset.attributes["hair"].labels == ("long-black", "red")


def test_folders_may_be_part_of_a_pattern_and_text_may_be_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "left/orc (1).png", "right/elf (2).png")
    dataset = ImageDataset(tmp_path, reading=Reading(pattern="{direction}/{kind} ({_}).png"))
    assert dataset.attributes["direction"].labels == ("left", "right")
    assert [each.name for each in dataset.attributes] == ["direction", "kind"]


def test_a_name_of_another_form_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "a_1.png", "b.png", "c_2.png")
    assert "the name 'b.png' is not of the pattern '{kind}_{n}.png'" in refusal(
        tmp_path, reading=Reading(pattern="{kind}_{n}.png")
    )
    assert len(ImageDataset(tmp_path, reading=Reading(pattern="{kind}_{n}.png", skip_bad=True))) == 2


def test_a_name_that_can_be_read_in_several_ways_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path, "pale_red_0.png", "dark_long_black_1.png")
    assert "in several ways: dark | long | black_1 or dark_long | black | 1" in refusal(
        tmp_path, reading=Reading(pattern="{skin}_{hair}_{frame}.png")
    )


@pytest.mark.parametrize("pattern", ["x.png", "{a}_{a}.png", "{}.png", "{a b}.png", "{a", "a}"])
def test_a_wrong_pattern_is_refused_with_an_example(tmp_path: Path, pattern: str) -> None:
    write(tmp_path, "a_1.png")
    assert "needs attributes in braces, each with a name of its own, as in '{skin}" in refusal(
        tmp_path, reading=Reading(pattern=pattern)
    )

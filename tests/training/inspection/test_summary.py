"""Lines of text, and a warning for everything that can be mended."""

import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tests.training.data.folders import MakeFolder, picture
from training.data.image_dataset import ImageDataset
from training.inspection import inspect, summary


def lines(folder: MakeFolder, header: str, rows: Sequence[str], images: Sequence[Image.Image] = ()) -> list[str]:
    return summary(inspect(ImageDataset(folder(header, rows, images))))


def test_each_class_has_a_bar_as_long_as_its_share(folder: MakeFolder) -> None:
    said = lines(folder, "kind", ["orc"] * 40 + ["elf"] * 20 + ["a long name"] * 10)
    assert "kind (nominal): explains" in "\n".join(said)
    bars = {line.split("#")[0].strip(): line.count("#") for line in said if line.startswith("  ")}
    assert bars == {"orc": 40, "elf": 20, "a long name": 10}
    assert any(line.endswith("# 40") for line in said)


def test_of_many_classes_the_most_frequent_are_shown(folder: MakeFolder) -> None:
    rows = [f"c{i}" for i in range(30) for _ in range(1 + (i < 20))]
    said = lines(folder, "kind", rows)
    assert "  and 10 more classes" in said
    assert {line.split()[0] for line in said if "#" in line} == {f"c{i}" for i in range(20)}


def warning(said: Sequence[str], pattern: str) -> bool:
    return any(line.startswith("warning: ") and re.search(pattern, line) for line in said)


def test_what_can_be_mended_is_warned_of(folder: MakeFolder) -> None:
    rows = ["a,0,1"] * 30 + ["b,9,"] * 3 + ["a,,"] * 40
    said = lines(folder, "kind,level,rare", [*rows, "a,0,2"])
    assert warning(said, "kind: 1 classes have fewer than 5 images.*--ignore kind")
    assert warning(said, "level: 8 of its 10 classes have no image.*--attribute level=nominal")
    assert warning(said, "rare: 43 of 74 cells are empty")


def test_a_clean_set_has_no_warning(folder: MakeFolder) -> None:
    assert not warning(lines(folder, "kind", ["a", "b"] * 60), "")


def test_contradictions_darkness_and_copies_are_warned_of(folder: MakeFolder) -> None:
    dark = [Image.fromarray(np.full((8, 8), i % 2, np.uint8)) for i in range(40)]
    said = lines(folder, "kind", ["a", "b", "c", "d"] * 10, dark)
    assert warning(said, r"no model can exceed an accuracy of 0\.5000.*--ignore kind")
    assert warning(said, "the brightest pixel is 1 of 255")
    assert warning(said, "38 of 40 images are copies")


def test_nothing_held_out_is_warned_of(folder: MakeFolder) -> None:
    said = lines(folder, "kind", ["a", "b"], [picture(0), picture(1)])
    assert warning(said, "nothing is held out") != any(line.endswith("held out: 1") for line in said)

"""Folders of images."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.training.data.folders import MakeFolder, picture


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

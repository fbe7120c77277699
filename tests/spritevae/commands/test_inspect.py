from pathlib import Path

import pytest
from PIL import Image

from spritevae.__main__ import main


def test_data_is_described_and_drawn(sprites: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", str(sprites), "--attribute", "hue=circular:12", "--output", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "400 images of 36 x 44 pixels, RGB; " in said
    assert "hue (circular, " in said
    for name in ("body", "level", "hue", "glow"):
        assert str(tmp_path / f"{name}.png") in said
        assert Image.open(tmp_path / f"{name}.png").width > 300


def test_training_begins_with_it(sprites: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["train", "softmax", "--data", str(sprites), "--run", str(tmp_path / "run"), "--threads", "1"]
    assert main([*command, "--set", "images=64", "batch_size=64"]) == 0
    assert "400 images of 36 x 44 pixels, RGB; " in capsys.readouterr().err


def test_data_that_is_not_there_is_refused(capsys: pytest.CaptureFixture) -> None:
    assert main(["inspect", "nowhere"]) == 1
    assert "no data at 'nowhere'" in capsys.readouterr().err

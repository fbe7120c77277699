"""From people's own sheet of tiles to a served bundle, with the commands of the README."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

import spritevae
from service.app import create_app
from service.settings import Settings
from spritevae.__main__ import main
from tests.service.toys import wait_until_ready
from training.runs import Run

READING = ["--tile", "16x16", "--spacing", "1", "--hold-out", "images"]


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 RGBA tiles of 16 x 16; three of the four columns have empty cells."""
    rng = np.random.default_rng(0)
    whole = Image.new("RGBA", (20 * 17 - 1, 15 * 17 - 1))
    lines = ["tile,body,hat,size,level"]
    for tile in range(300):
        body, hat, size = rng.integers(4), rng.integers(3), rng.integers(3, 7)
        pixels = np.zeros((16, 16, 4), np.uint8)
        pixels[8 - size : 8 + size, 8 - size : 8 + size] = (60 * body, 255 - 60 * body, 90, 255)
        pixels[0:3, 5:11] = ((255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0))[hat]
        whole.paste(Image.fromarray(pixels), (tile % 20 * 17, tile // 20 * 17))
        cells = [f"b{body}", *(str(each) if rng.random() < 0.4 else "" for each in (f"h{hat}", size, tile % 5))]
        lines.append(",".join([str(tile), *cells]))
    folder = tmp_path_factory.mktemp("own")
    whole.save(folder / "tiles.png")
    (folder / "tiles.csv").write_text("\n".join(lines))
    return folder / "tiles.png"


def test_a_sheet_is_trained_on_scored_drawn_and_exported(sheet: Path, tmp_path: Path) -> None:
    run, bundle = tmp_path / "run", tmp_path / "bundle"
    command = ["train", "softmax", "--data", str(sheet), *READING, "--threads", "1", "--run", str(run), "--set"]
    assert main([*command, "images=6400", "batch_size=64"]) == 0
    assert main([*command, "images=6400", "batch_size=64"]) == 0, "the same command goes on"
    assert Run.open(run).parameters.reading == {"tile": [16, 16], "spacing": 1, "hold_out": "images"}
    assert main(["evaluate", str(run)]) == 0
    assert main(["plot", str(run), "--pictures", "reconstructions"]) == 0
    assert main(["export", str(run), "--output", str(bundle)]) == 0
    assert main(["evaluate", str(bundle), "--output", str(tmp_path / "scores")]) == 0
    model = spritevae.load(bundle, device="cpu")
    assert model.image_shape == (16, 16, 4)
    image = model.decode(body="b2", hat="h1", size=2)
    assert image.shape == (16, 16, 4)
    assert model.encode(image).values["body"][0] in ("b0", "b1", "b2", "b3")
    with TestClient(create_app(Settings(_env_file=None, model=(str(bundle),), device="cpu"))) as client:
        drawn = wait_until_ready(client).get("/decode?body=b2&hat=h1&size=2")
    assert Image.open(BytesIO(drawn.content)).size == (16, 16)


def test_other_options_are_another_run(sheet: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["train", "softmax", "--data", str(sheet), "--threads", "1", "--run", str(tmp_path / "run")]
    assert main([*command, *READING, "--set", "images=64", "batch_size=64"]) == 0
    assert main([*command, *READING, "--ignore", "hat", "--set", "images=64", "batch_size=64"]) == 1
    assert "reading.ignore: none -> ['hat']" in capsys.readouterr().err


def test_a_tile_that_is_no_size_is_refused(sheet: Path, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", "softmax", "--data", str(sheet), "--tile", "16"])
    assert ended.value.code == 2
    assert "'16' is no width and height in pixels, as in 32x32" in capsys.readouterr().err

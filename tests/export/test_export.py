from pathlib import Path

import numpy as np
import pytest

from export.bundle import BundleError, read_bundle
from export.export import export, threshold
from export.manifest import Manifest
from tests.support import train
from training.runs import Run


def test_a_bundle_says_how_it_was_made(small_run: Run, small_bundle: tuple[Path, Manifest]) -> None:
    training = small_bundle[1].training
    assert training.images == 640
    assert training.seed == 0
    assert training.data == "dsprites"
    assert training.command.startswith("spritevae train softmax --data dsprites")
    card = (small_bundle[0] / "card.md").read_text()
    assert training.command in card
    assert "accuracy.orientation.merged" in card


def test_a_card_tells_of_the_run_that_its_run_began_with(small_run: Run, tmp_path: Path) -> None:
    further = train(tmp_path / "further", "--data", "dsprites", "--init", str(small_run.path), "--seed", "7", images=64)
    manifest = export(further, tmp_path / "bundle", scored_rows=50)
    assert [stage.images for stage in manifest.training.stages] == [640, 64]
    card = (tmp_path / "bundle" / "card.md").read_text()
    assert card.index(small_run.parameters.command) < card.index(further.parameters.command)
    assert "images seen: 640 + 64" in card
    assert "seed: 0, then 7" in card


def test_the_threshold_of_unfamiliar_images_leaves_room_for_familiar_ones() -> None:
    spread = np.arange(1, 1001) / 1000
    assert threshold(spread) == pytest.approx(1.5 * 0.995, abs=0.001)
    assert threshold(np.zeros(10)) == 1.5 / 255


def test_golden_vectors_are_the_answers_of_torch(small_run: Run, small_bundle: tuple[Path, Manifest]) -> None:
    import torch

    golden, model = read_bundle(small_bundle[0]).golden, small_run.load()
    with torch.inference_mode():
        z = model.encode(torch.from_numpy(golden["image"])).z
        image = model.decode(torch.from_numpy(golden["z"]))
    np.testing.assert_allclose(golden["encoder.z"], z, atol=1e-6)
    np.testing.assert_allclose(golden["decoder.image"], image, atol=1e-6)


def test_a_run_exported_again_replaces_its_bundle(small_run: Run, tmp_path: Path) -> None:
    first, second = (export(small_run, tmp_path / "bundle", name, scored_rows=100) for name in (None, "renamed"))
    assert read_bundle(tmp_path / "bundle").manifest.name == second.name == "renamed"
    assert first.digest != second.digest
    assert [each.name for each in tmp_path.iterdir()] == ["bundle"]


def test_another_folder_is_not_overwritten(small_run: Run, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(BundleError, match="is no bundle"):
        export(small_run, tmp_path / "letters")


def test_a_name_that_could_not_be_asked_for_is_refused(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="'a b' can't name a model"):
        export(small_run, tmp_path / "a b")


@pytest.mark.parametrize("colours", [1, 4])
def test_grey_and_rgba_folders_are_exported_as_such(colours: int, tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "data"
    folder.mkdir()
    lines = ["file,level"]
    for i in range(60):
        Image.new("L" if colours == 1 else "RGBA", (30, 29), i * 4 if colours == 1 else (i * 4, 0, 9, 128)).save(
            folder / f"{i}.png"
        )
        lines.append(f"{i}.png,{i // 12}")
    (folder / "labels.csv").write_text("\n".join(lines))
    run = train(tmp_path / "run", "--data", str(folder), images=128, batch_size=32)
    assert export(run, tmp_path / "bundle").image.shape == (29, 30, colours)

"""Helpers for all tests: paths, a folder of sprites, a small run."""

from __future__ import annotations

import csv
import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from training.data.dataset import Batch, Dataset, Rows
    from training.runs import Run

ROOT = Path(__file__).resolve().parent.parent
MNIST = ROOT.parent / "shared" / "data" / "mnist"
IMAGE_FILES = ROOT.parent / "shared" / "data" / "image-files"
SPRITE_ART = ROOT.parent / "shared" / "data" / "sprites"
REAL_DSPRITES = ROOT.parent / "shared" / "data" / "dsprites_real_20k.npz"


def draw_sprite(body: str, level: int, hue: int, glow: float, size: tuple[int, int]) -> Image.Image:
    """A sprite that shows each attribute: body as form, level as height, hue as colour, glow as brightness."""
    width = size[0]
    image = Image.new("RGB", size)
    value = 0.3 + 0.7 * glow
    colour = tuple(round(255 * value * (0.5 + 0.5 * math.cos(2 * math.pi * (hue / 12 - i / 3)))) for i in range(3))
    top, middle = 4 + 4 * level, width // 2
    draw = ImageDraw.Draw(image)
    if body == "round":
        draw.ellipse((middle - 8, top, middle + 8, top + 16), fill=colour)
    else:
        draw.rectangle((middle - 15, top + 5, middle + 15, top + 11), fill=colour)
    return image


def write_sprites(folder: Path, count: int, size: tuple[int, int] = (36, 44), seed: int = 0) -> Path:
    """A folder of RGB sprites with a nominal, an ordinal, a circular and a continuous attribute.

    ``size`` is (width, height). Each cell of its labels.csv is empty with probability 0.1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "body", "level", "hue", "glow"])
        for i in range(count):
            body, level, hue = str(draw.choice(["round", "wide"])), int(draw.integers(5)), int(draw.integers(12))
            glow = round(float(draw.random()), 3)
            draw_sprite(body, level, hue, glow, size).save(folder / f"{i}.png")
            cells = ["" if draw.random() < 0.1 else cell for cell in (body, level, hue, glow)]
            rows.writerow([f"{i}.png", *cells])
    return folder


def train(run: Path, *arguments: str, system: str = "softmax", images: int = 640, batch_size: int = 64) -> Run:
    """A small run, trained by the command ``train`` on one thread."""
    from spritevae.__main__ import main  # not at the top: most tests need no PyTorch
    from training.runs import Run

    settings = [f"images={images}", f"batch_size={batch_size}"]
    status = main(["train", system, *arguments, "--run", str(run), "--threads", "1", "--set", *settings])
    assert status == 0
    return Run.open(run)


def resume(run: Run, dataset: Dataset | None = None, *, checkpoint_seconds: float = 60.0) -> None:
    """Train a run from its last checkpoint to its end, by default on dSprites."""
    from training.data import open_dataset  # not at the top, as above
    from training.reporter import RunReporter
    from training.trainer import trainer

    dataset = open_dataset("dsprites") if dataset is None else dataset
    trainer.train(run, dataset, RunReporter(run, dataset), checkpoint_seconds=checkpoint_seconds)


def mount(bundle: Path, folder: Path, date: str) -> Path:
    """Put a bundle into a folder as Kubernetes mounts a ConfigMap, Secret or projected volume, and as it updates one.

    Its files are in a folder with a date, ``..data`` is a link to that and is swapped at once, ``NAME`` is a link to
    ``..data/NAME``.
    """
    folder.mkdir(exist_ok=True)
    before = folder / os.readlink(folder / "..data") if (folder / "..data").is_symlink() else None
    shutil.copytree(bundle, folder / date)
    swap_link(folder / "..data", Path(date))
    for name in {each.name for each in (folder / date).iterdir()} - {each.name for each in folder.iterdir()}:
        (folder / name).symlink_to(Path("..data") / name)
    if before:
        shutil.rmtree(before)
    return folder


def swap_link(link: Path, target: Path) -> None:
    """Let a link lead elsewhere, in one step."""
    new = link.with_name("..data_tmp")
    new.symlink_to(target)
    new.rename(link)


class DatasetView:
    """Another dataset as it is; tests override ``batch``."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def __len__(self) -> int:
        return len(self._dataset)

    def batch(self, rows: Rows) -> Batch:
        return self._dataset.batch(rows)

"""Fixtures for all tests: real data where it exists, a folder of sprites, a small run and its bundle.

pytest imports this file before every test, so PyTorch is imported only in the fixtures that need it.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import IMAGE_FILES, MNIST, REAL_DSPRITES, SPRITE_ART, train, write_sprites

if TYPE_CHECKING:
    from export.manifest import Manifest
    from training.runs import Run


@pytest.fixture(scope="session")
def real_dsprites() -> Path:
    """20,000 images of the original data set."""
    if not REAL_DSPRITES.exists():
        pytest.skip(f"needs real dSprites images at {REAL_DSPRITES}")
    return REAL_DSPRITES


@pytest.fixture(scope="session")
def mnist() -> Path:
    """The folder of the four published MNIST files."""
    if not MNIST.exists():
        pytest.skip(f"needs the MNIST files in {MNIST}")
    return MNIST


@pytest.fixture(scope="session")
def image_files() -> Path:
    """The folder of image files from the test suites of other projects, with ``manifest.csv``."""
    if not IMAGE_FILES.exists():
        pytest.skip(f"needs the image files in {IMAGE_FILES}")
    return IMAGE_FILES


@pytest.fixture(scope="session")
def sprite_art() -> Path:
    """The folder of sprite art as people publish it."""
    if not SPRITE_ART.exists():
        pytest.skip(f"needs the sprite art in {SPRITE_ART}")
    return SPRITE_ART


@pytest.fixture(scope="session")
def sheets(sprite_art: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sheets with their descriptions, each as its program writes it."""
    folder = tmp_path_factory.mktemp("sheets")
    with zipfile.ZipFile(sprite_art / "sheets.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def format_samples(sprite_art: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handful of images of published sets in their true formats."""
    folder = tmp_path_factory.mktemp("formats")
    with zipfile.ZipFile(sprite_art / "format_samples.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def sprites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 400 sprites, whose attribute ``hue`` is circular."""
    return write_sprites(tmp_path_factory.mktemp("sprites"), 400)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of ten steps on dSprites."""
    return train(tmp_path_factory.mktemp("runs") / "small", "--data", "dsprites")


@pytest.fixture(scope="session")
def small_bundle(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """That run as a bundle: its path and its manifest."""
    from export.export import export

    path = tmp_path_factory.mktemp("bundles") / "small"
    return path, export(small_run, path, scored_rows=100)

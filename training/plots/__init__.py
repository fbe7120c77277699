"""Pictures of what an autoencoder does, one file each, as uint8 arrays [H, W, C] and PNG or GIF files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from training.metrics.context import EvaluationContext
from training.plots import (
    interpolations,
    latent_grid,
    latents,
    reconstructions,
    scatter,
    sensitivity,
    swap,
    traversals,
    tsne,
)
from training.plots.pictures import Picture, save, save_gif

DrawFunction = Callable[[EvaluationContext], Iterator[tuple[str, "Picture | list[Picture]"]]]

# By name. Each yields file names with their pictures, and nothing if it does not apply to the model.
PICTURES: dict[str, DrawFunction] = {
    module.__name__.rsplit(".", 1)[-1]: module.draw
    for module in (
        reconstructions,
        traversals,
        interpolations,
        latent_grid,
        latents,
        swap,
        scatter,
        sensitivity,
        tsne,
    )
}


def draw(context: EvaluationContext, folder: Path, names: Sequence[str] = ()) -> list[Path]:
    """Write the named pictures, by default all, into a folder, as far as they apply to the model; returns their paths.

    Raises ValueError that lists the pictures for an unknown name.
    """
    if unknown := [name for name in names if name not in PICTURES]:
        raise ValueError(f"no picture {unknown[0]!r}; there is: {', '.join(PICTURES)}")
    files = []
    for name in tqdm(names or PICTURES, desc="pictures"):
        for file, picture in PICTURES[name](context):
            files.append(folder / file)
            if isinstance(picture, list):
                save_gif(picture, files[-1])
            else:
                save(picture, files[-1])
    return files

"""Scores of an autoencoder on the rows of a dataset, as JSON, table and picture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from attributes import Attributes
from training.atomic_files import write_json
from training.autoencoder import Autoencoder
from training.data.dataset import DataError, Dataset, Rows
from training.metrics import score, score_set
from training.metrics.predictions import shared_attributes
from training.metrics.scores import Evaluation, Score
from training.plots.pictures import COLUMNS, Picture, save
from training.plots.reconstructions import reconstructions
from training.plots.scores import scores_picture


def rows_to_score(
    dataset: Dataset, *, also_all: bool = False, also_training: bool = False, at_most: int | None = None
) -> dict[str, Rows]:
    """The sets of rows [N] to score, by title, the held-out rows first.

    ``at_most`` limits the rows of each set, which are then drawn with seed 0. If a dataset is so small that no row is
    held out, all rows are scored, under the title "all, as none is held out".
    """
    out = dataset.held_out
    sets: dict[str, Rows] = {title: np.flatnonzero(rows) for title, rows in dataset.held_out_sets.items() if rows.any()}
    if not out.any():
        sets = {"all, as none is held out": np.arange(len(dataset))}
    elif also_all:
        sets["all"] = np.arange(len(dataset))
    if also_training:
        sets["trained on"] = np.flatnonzero(~out)
    if at_most is not None:
        rng = np.random.default_rng(0)
        sets = {title: np.sort(rng.permutation(rows)[:at_most]) for title, rows in sets.items()}
    return sets


def evaluate(
    autoencoder: Autoencoder, dataset: Dataset, sets: Mapping[str, Rows], further: Sequence[str] = ()
) -> Evaluation:
    """Score an autoencoder on sets of rows, with the set metrics that ``further`` names too.

    Raises DataError if the dataset's images have another shape than the model's, or its attributes other classes.
    """
    own = autoencoder.codebook.attributes
    both = {attribute.name for attribute in dataset.attributes} & {attribute.name for attribute in own}
    unlike = both - {attribute.name for attribute in shared_attributes(autoencoder, dataset.attributes)}
    if unlike or autoencoder.image_shape != dataset.image_shape:
        raise DataError(
            f"the model knows {_vocabulary(own, autoencoder.image_shape)}; "
            f"the data has {_vocabulary(dataset.attributes, dataset.image_shape)}: these can't be compared"
        )
    evaluation = {title: score(autoencoder, dataset, rows, progress=True) for title, rows in sets.items()}
    if further:
        for title, rows in sets.items():
            evaluation[title] |= score_set(autoencoder, dataset, rows, further)
    return evaluation


def _vocabulary(attributes: Attributes, image: tuple[int, int, int]) -> str:
    """Attributes and image shape in words."""
    listed = ", ".join(f"{each.name} ({each.kind}, {each.size})" for each in attributes)
    return f"{listed} on images of {'x'.join(map(str, image))}"


def table(evaluation: Evaluation, ceilings: Mapping[str, float]) -> str:
    """Scores with their 95 % intervals as text, one line each."""
    names = list(next(iter(evaluation.values())))
    titles = [f"{title} ({_rows(scores):,} images)" for title, scores in evaluation.items()]
    width = 2 + max(map(len, names))
    lines = [" " * width + "".join(f"{title:32}" for title in titles) + ("ceiling" if ceilings else "")]
    for name in names:
        cells = [_cell(scores[name]) for scores in evaluation.values()]
        ceiling = ceilings.get(name.removeprefix("accuracy."))
        lines.append(
            f"{name:{width}}" + "".join(f"{cell:32}" for cell in cells) + (f"{ceiling:.4f}" if ceiling else "")
        )
    return "\n".join(line.rstrip() for line in lines)


def _rows(scores: Mapping[str, Score]) -> int:
    """The number of rows in a set; a score leaves out the rows that have no value."""
    return max(each.rows for each in scores.values())


def _cell(each: Score) -> str:
    if not each.rows:
        return "no labels"
    return f"{each.mean:.4f}" if math.isnan(each.low) else f"{each.mean:.4f}  [{each.low:.4f}, {each.high:.4f}]"


def as_json(evaluation: Evaluation, ceilings: Mapping[str, float]) -> dict[str, Any]:
    """An evaluation as plain JSON values; scores without a value are left out."""
    scores = {
        title: {name: _fields(each) for name, each in scores.items() if each.rows}
        for title, scores in evaluation.items()
    }
    return {"scores": scores, "ceilings": dict(ceilings), "interval": "95 %: Wilson for shares, normal for means"}


def _fields(each: Score) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in each._asdict().items()}


def write(
    evaluation: Evaluation, autoencoder: Autoencoder, dataset: Dataset, sets: Mapping[str, Rows], folder: Path
) -> list[Path]:
    """Write ``evaluation.json`` and ``evaluation.png`` into a folder; returns both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / "evaluation.json", folder / "evaluation.png"]
    write_json(files[0], as_json(evaluation, dataset.ceilings))
    save(picture(evaluation, autoencoder, dataset, next(iter(sets.values()))), files[1])
    return files


def picture(evaluation: Evaluation, autoencoder: Autoencoder, dataset: Dataset, rows: Rows) -> Picture:
    """An evaluation as a picture [H, W, C], with examples drawn from the rows [N]."""
    chosen = np.random.default_rng(0).permutation(rows)[:COLUMNS]
    return scores_picture(
        evaluation, dataset.ceilings, reconstructions(autoencoder, dataset.batch(chosen), dataset.attributes)
    )

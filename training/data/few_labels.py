"""Datasets with few labelled rows: for learning from labelled and unlabelled images together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.data.dataset import Batch, DataError, Dataset, Rows
from training.data.reading import Reading

# The prefix of a specification that leaves out the rows without labels.
LABELLED_ONLY = "only:"


def partially_labelled(dataset: Dataset, spec: str, seed: int) -> Dataset:
    """The dataset with labels on only some of the rows that are trained on.

    ``spec`` is one of these: empty, for the dataset as it is; a number of rows, which are drawn with the seed among the
    fully labelled ones (a smaller number gives some of the rows of a larger one); a file of row numbers from 0, one per
    line, or an ``.npy``. ``only:`` before it leaves out the rows without labels. Held-out rows keep all their labels.
    Raises DataError that names the mistake and its line.
    """
    if not spec:
        return dataset
    rows = spec.removeprefix(LABELLED_ONLY)
    chosen = _draw_rows(dataset, int(rows), seed) if rows.isdecimal() else _read_rows(dataset, Path(rows))
    partial = PartiallyLabelled(dataset, chosen)
    if not spec.startswith(LABELLED_ONLY):
        return partial
    return Subset(partial, np.flatnonzero(dataset.held_out | partial.keeps_labels))


def _draw_rows(dataset: Dataset, count: int, seed: int) -> Rows:
    """``count`` fully labelled rows to train on, in order."""
    able = np.flatnonzero(~dataset.held_out & dataset.labelled.all(axis=1))
    if not 0 < count <= len(able):
        raise DataError(f"labels: {count} rows are asked for; the data has {len(able)} fully labelled ones to train on")
    return np.sort(np.random.default_rng([seed, 2]).permutation(able)[:count])


def _read_rows(dataset: Dataset, file: Path) -> Rows:
    """The rows that a file lists, in order; each must be trained on and have a label."""
    out, seen = dataset.held_out, dict[int, str]()
    labelled = np.asarray(dataset.labelled.any(axis=1))
    for where_in_file, text in _entries(file):
        where = f"{file}, {where_in_file}"
        if not text.isdecimal() or int(text) >= len(dataset):
            raise DataError(f"{where}: {text!r} is not a row from 0 to {len(dataset) - 1}")
        row = int(text)
        if row in seen:
            raise DataError(f"{where}: row {row} is listed already ({seen[row]})")
        if out[row]:
            raise DataError(f"{where}: row {row} is held out, never trained on")
        if not labelled[row]:
            raise DataError(f"{where}: row {row} has no label in the data")
        seen[row] = where_in_file
    if not seen:
        raise DataError(f"{file}: lists no row")
    return np.array(sorted(seen))


def _entries(file: Path) -> Iterator[tuple[str, str]]:
    """Where each row number stands in a file (``line 3``), and its text."""
    if file.suffix == ".npy":
        yield from ((f"entry {i}", str(row)) for i, row in enumerate(_array(file)))
        return
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"labels: {str(file)!r} is neither a number of rows nor a text file or .npy of rows ({error})"
        ) from error
    yield from ((f"line {number}", line.strip()) for number, line in enumerate(lines, 1) if line.strip())


def _array(file: Path) -> Rows:
    """The whole numbers [N] of an ``.npy``."""
    try:
        rows = np.load(file, allow_pickle=False)
    except Exception as error:  # numpy raises many kinds of exceptions for damaged files
        raise DataError(f"{file}: can't be read, or is no .npy of rows ({error})") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 1 or rows.dtype.kind not in "iu":
        found = f"{rows.dtype} {list(rows.shape)}" if isinstance(rows, np.ndarray) else "several arrays"
        raise DataError(f"{file}: holds {found}, not whole numbers [N]")
    return rows


class _View:
    """Another view of a dataset: what stays as it is there."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.attributes: Attributes = dataset.attributes
        self.image_shape: tuple[int, int, int] = dataset.image_shape
        self.ceilings: Mapping[str, float] = dataset.ceilings
        self.reading: Reading = dataset.reading

    def render(self, positions: NDArray[Any]) -> NDArray[np.uint8] | None:
        """Images [B, H, W, C] of positions [B, A], as the whole dataset draws them."""
        return self._dataset.render(positions)

    def _digest(self, name: str, rows: Rows) -> str:
        """A digest of the dataset's content, the name of the view and its rows [N]."""
        return hashlib.sha256(f"{self._dataset.content} {name}".encode() + rows.tobytes()).hexdigest()


class PartiallyLabelled(_View):
    """A dataset in which only the ``chosen`` rows and the held-out ones keep their labels."""

    def __init__(self, dataset: Dataset, chosen: Rows) -> None:
        super().__init__(dataset)
        self.keeps_labels: NDArray[np.bool_] = dataset.held_out.copy()  # [N]
        self.keeps_labels[chosen] = True
        # A run goes on only with the same digest: the name is the one that earlier versions have written.
        self.content = self._digest("FewLabels", np.flatnonzero(self.keeps_labels))
        self.held_out = dataset.held_out
        self.held_out_sets = dataset.held_out_sets
        self.labelled = dataset.labelled & self.keeps_labels[:, None]  # [N, A]

    def __len__(self) -> int:
        return len(self.keeps_labels)

    def batch(self, rows: Rows) -> Batch:
        """The rows [B], without their labels for most of them."""
        batch = self._dataset.batch(rows)
        kept = self.keeps_labels[rows, None]  # [B, 1]
        return Batch(batch.images, batch.targets * kept, batch.known & kept)


class Subset(_View):
    """Some ``rows`` [N] of a dataset."""

    def __init__(self, dataset: Dataset, rows: Rows) -> None:
        super().__init__(dataset)
        self._rows = rows
        self.content = self._digest("Subset", rows)
        self.held_out: NDArray[np.bool_] = dataset.held_out[rows]
        self.held_out_sets = {title: out[rows] for title, out in dataset.held_out_sets.items()}
        self.labelled: NDArray[np.bool_] = dataset.labelled[rows]

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, rows: Rows) -> Batch:
        """The rows [B] of the subset."""
        return self._dataset.batch(self._rows[rows])

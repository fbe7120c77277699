"""Sources of which few rows are labelled: for learning from labelled and unlabelled images together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attributes import Attributes
from training.data.dataset import Batch, DataError, Dataset, Rows

ONLY = "only:"


def with_labels(dataset: Dataset, labels: str, seed: int) -> Dataset:
    """A source of which only some of the rows that are trained on are labelled.

    ``labels`` is empty for the source as it is; a number, of rows drawn with the seed among the fully labelled ones
    (fewer are always some of the more); or a file of row numbers from 0, one in each line, or in an ``.npy``. ``only:``
    before it leaves out the rows without labels. Rows that are held out stay as they are. Raises DataError that says
    what is wrong, and in which line.
    """
    if not labels:
        return dataset
    spec = labels.removeprefix(ONLY)
    chosen = _drawn(dataset, int(spec), seed) if spec.isdecimal() else _listed(dataset, Path(spec))
    few = FewLabels(dataset, chosen)
    return Subset(few, np.flatnonzero(dataset.held_out | few.kept)) if labels.startswith(ONLY) else few


def _drawn(dataset: Dataset, count: int, seed: int) -> Rows:
    able = np.flatnonzero(~dataset.held_out & dataset.labelled.all(axis=1))
    if not 0 < count <= len(able):
        raise DataError(f"labels: {count} rows are asked for; the data has {len(able)} fully labelled ones to train on")
    return np.sort(np.random.default_rng([seed, 2]).permutation(able)[:count])


def _listed(dataset: Dataset, file: Path) -> Rows:
    out, seen = dataset.held_out, dict[int, str]()
    labelled = np.asarray(dataset.labelled.any(axis=1))
    for place, text in _entries(file):
        where = f"{file}, {place}"
        if not text.isdecimal() or int(text) >= len(dataset):
            raise DataError(f"{where}: {text!r} is not a row from 0 to {len(dataset) - 1}")
        row = int(text)
        if row in seen:
            raise DataError(f"{where}: row {row} is listed already ({seen[row]})")
        if out[row]:
            raise DataError(f"{where}: row {row} is held out, never trained on")
        if not labelled[row]:
            raise DataError(f"{where}: row {row} has no label in the data")
        seen[row] = place
    if not seen:
        raise DataError(f"{file}: lists no row")
    return np.array(sorted(seen))


def _entries(file: Path) -> Iterator[tuple[str, str]]:
    """Place and text of each row number in a file."""
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
    try:
        rows = np.load(file, allow_pickle=False)
    except Exception as error:  # numpy raises all sorts of things on what is damaged
        raise DataError(f"{file}: can't be read, or is no .npy of rows ({error})") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 1 or rows.dtype.kind not in "iu":
        found = f"{rows.dtype} {list(rows.shape)}" if isinstance(rows, np.ndarray) else "several arrays"
        raise DataError(f"{file}: holds {found}, not whole numbers [N]")
    return rows


class _Wrapped:
    """What another source says."""

    def __init__(self, dataset: Dataset) -> None:
        self._source = dataset
        self.attributes: Attributes = dataset.attributes
        self.image_shape: tuple[int, int, int] = dataset.image_shape
        self.ceilings: Mapping[str, float] = dataset.ceilings

    def render(self, positions: NDArray[Any]) -> NDArray[np.uint8] | None:
        """As the whole source's."""
        return self._source.render(positions)

    def _content(self, rows: Rows) -> str:
        return hashlib.sha256(f"{self._source.content} {type(self).__name__}".encode() + rows.tobytes()).hexdigest()


class FewLabels(_Wrapped):
    """A source whose rows are unlabelled but for the ``chosen`` and the held-out ones."""

    def __init__(self, dataset: Dataset, chosen: Rows) -> None:
        super().__init__(dataset)
        self.kept: NDArray[np.bool_] = dataset.held_out.copy()
        self.kept[chosen] = True
        self.content = self._content(np.flatnonzero(self.kept))
        self.held_out = dataset.held_out
        self.labelled = dataset.labelled & self.kept[:, None]

    def __len__(self) -> int:
        return len(self.kept)

    def batch(self, rows: Rows) -> Batch:
        """The rows [B], nothing known of most of them."""
        batch = self._source.batch(rows)
        kept = self.kept[rows, None]
        return Batch(batch.images, batch.targets * kept, batch.known & kept)


class Subset(_Wrapped):
    """Some ``rows`` of a source."""

    def __init__(self, dataset: Dataset, rows: Rows) -> None:
        super().__init__(dataset)
        self._rows = rows
        self.content = self._content(rows)
        self.held_out: NDArray[np.bool_] = dataset.held_out[rows]
        self.labelled: NDArray[np.bool_] = dataset.labelled[rows]

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, rows: Rows) -> Batch:
        """The rows [B] of the subset."""
        return self._source.batch(self._rows[rows])

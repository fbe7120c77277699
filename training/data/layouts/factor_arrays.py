"""Arrays of images with the factors that generated them, as dSprites has them, and what others made of it.

Images are ``imgs`` or ``images``; labels are ``latents_classes`` and ``latents_values`` [N, K], ``labels`` [N] or
[N, K], or an array [N] for each attribute. Names come from an array of names, or are those of the arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.array_pictures import ArrayPictures
from training.data.cells import Cells
from training.data.column_kinds import MAX_INFERRED_CLASSES, Override
from training.data.dataset import DataError
from training.data.listing import Listing, attribute_name, parts_of

IMAGES = ("imgs", "images", "image", "x", "X", "x_train")
CLASSES = ("latents_classes", "latents/classes")
VALUES = ("latents_values", "latents/values")
LABELS = ("labels", "factors", "targets", "y", "y_train")
NAMES = ("latents_names", "names", "factor_names", "label_names")
# Names for data sets that don't bring their own, by the array of labels and the number of its columns.
DSPRITES = ("color", "shape", "scale", "orientation", "pos_x", "pos_y")
SHAPES_3D = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")


def image_array(names: Sequence[str], path: Path) -> str:
    """The name of the array of images; raises DataError if there is none."""
    for name in IMAGES:
        if name in names:
            return name
    raise DataError(f"{path}: has no array of images ({', '.join(IMAGES)}), only {', '.join(names) or 'nothing'}")


def listing_of(path: Path, pictures: ArrayPictures, arrays: Mapping[str, NDArray[Any]]) -> Listing:
    """The images with the attributes that the other ``arrays`` of a file tell."""
    rows = len(pictures)
    columns: dict[str, Cells] = {}
    kinds: dict[str, Override | None] = {}
    notes: list[str] = []
    classes, values = _first(arrays, CLASSES), _first(arrays, VALUES)
    labels = _first(arrays, LABELS)
    known = (*CLASSES, *VALUES, *LABELS, *NAMES)
    if classes or values:
        name = classes or values
        assert name is not None
        factors = _table(path, name, arrays[name], rows)
        units = _table(path, values, arrays[values], rows) if values and classes else None
        for i, attribute in enumerate(_names(path, arrays, factors.shape[1], DSPRITES)):
            columns[attribute], kinds[attribute] = _factor(
                path, attribute, factors[:, i], None if units is None else units[:, i], is_class=classes is not None
            )
    elif labels:
        factors = _table(path, labels, arrays[labels], rows)
        single = ("label",) if factors.shape[1] == 1 else SHAPES_3D
        for i, attribute in enumerate(_names(path, arrays, factors.shape[1], single)):
            columns[attribute], kinds[attribute] = _factor(path, attribute, factors[:, i], None, is_class=False)
    for name, array in arrays.items():
        if name not in known and array.shape == (rows,):
            attribute = attribute_name(name)
            columns[attribute], kinds[attribute] = _factor(path, attribute, array, None, is_class=False)
    constant = [name for name, cells in columns.items() if len(cells.distinct) == 1]
    if constant:
        notes.append(f"left out, as they are the same everywhere: {', '.join(constant)}")
    columns = {name: cells for name, cells in columns.items() if name not in constant}
    if not columns:
        others = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        raise DataError(
            f"{path}: nothing tells the attributes of its {rows} images; needs latents_classes, latents_values or "
            f"labels [N, K], or arrays [N]; has {others or 'no other array'}"
        )
    return Listing(
        source=str(path),
        pictures=pictures,
        split=parts_of(columns),
        columns=columns,
        kinds={name: kind for name, kind in kinds.items() if kind and name in columns},
        notes=notes,
    )


def _first(arrays: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in arrays), None)


def _table(path: Path, name: str, array: NDArray[Any], rows: int) -> NDArray[Any]:
    """Labels as [N, K]; raises DataError for another shape."""
    table = array[:, None] if array.ndim == 1 else array
    if table.ndim != 2 or len(table) != rows:
        raise DataError(f"{path}: {name} has the shape {list(array.shape)}; {rows} images need [{rows}] or [{rows}, K]")
    return table


def _names(path: Path, arrays: Mapping[str, NDArray[Any]], count: int, usual: Sequence[str]) -> list[str]:
    """The names of ``count`` factors: the file's own, the usual ones if there are as many, or numbers."""
    own = _first(arrays, NAMES)
    if own is not None:
        names = [attribute_name(str(name)) for name in arrays[own].ravel()]
        if len(names) != count or len(set(names)) != count:
            raise DataError(f"{path}: {own} has {len(names)} names ({', '.join(names)}) for {count} factors")
        return names
    if count == len(usual) - 1:
        return list(usual[1:])  # dSprites without its one colour
    return list(usual) if count == len(usual) else [f"factor_{i}" for i in range(count)]


def _factor(
    path: Path, name: str, factor: NDArray[Any], units: NDArray[Any] | None, *, is_class: bool
) -> tuple[Cells, Override | None]:
    """The cells of a factor, and its kind where values in units tell more than its cells.

    Classes with evenly spaced values are ordinal, in units.
    """
    if factor.dtype.kind in "SUO":
        texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in factor]
        return Cells.of(texts, lambda row: f"{path}, row {row}"), Override(name=name, kind="nominal")
    if factor.dtype.kind not in "iufb":
        raise DataError(f"{path}: {name} is {factor.dtype}; labels are numbers or text")
    distinct, firsts, codes = np.unique(factor, return_index=True, return_inverse=True)
    wheres = {i: f"{path}, row {row}" for i, row in enumerate(firsts)}
    if units is not None and is_class and len(distinct) == int(distinct[-1]) + 1 and len(distinct) > 1:
        values = units[firsts].astype(float)
        steps = np.diff(values)
        if (steps > 0).all() and np.allclose(steps, steps[0], rtol=1e-3):
            kind = Override(name=name, kind="ordinal", size=len(distinct), range=(float(values[0]), float(values[-1])))
            return Cells.coded([f"{value:.17g}" for value in values], wheres, codes), kind
    integers = factor.dtype.kind in "iub" or bool(np.equal(np.mod(distinct, 1), 0).all())
    texts = [str(int(value)) if integers else f"{value:.17g}" for value in distinct]
    if not integers and len(distinct) <= MAX_INFERRED_CLASSES:
        steps = np.diff(distinct.astype(float))
        if len(steps) > 1 and np.allclose(steps, steps[0], rtol=1e-3):
            kind = Override(
                name=name, kind="ordinal", size=len(distinct), range=(float(distinct[0]), float(distinct[-1]))
            )
            return Cells.coded(texts, wheres, codes), kind
    return Cells.coded(texts, wheres, codes), None

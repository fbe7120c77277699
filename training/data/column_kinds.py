"""The kinds of a table's columns: inferred from their cells, or given by ``--attribute``.

Any text makes a column nominal, with sorted labels; ``column_cells.py`` says what is text. Whole numbers only make it
ordinal, with a class for every whole number from the least to the greatest. Other numbers make it continuous.
``--attribute`` overrides a column, in the form of ``GRAMMAR``, for instance::

    hue=circular:36:period=36            cells 0 .. 35; 35.5 is half-way from class 35 to class 0
    hue=circular:36:range=0..350:unit=degrees     the same in degrees; the range is that of first and last class
    size=ordinal:6:range=0.5..1.0        cells 0.5, 0.6 .. 1.0; 0.55 is half class 0, half class 1
    digit=nominal:labels=0|1|2           the cell's text is the label
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attributes import KINDS, Attribute, Attributes, Kind
from training.data.cells import Cell, number, position_of
from training.data.column_cells import Column
from training.data.dataset import DataError

# A column of whole numbers with more classes needs an override: it is probably continuous.
MAX_INFERRED_CLASSES = 256

GRAMMAR = "NAME=KIND[:SIZE][:labels=A|B|C][:period=P][:range=LO..HI][:unit=TEXT][:default=V]"
OPTIONS: dict[Kind, tuple[str, ...]] = {
    "nominal": ("labels", "default"),
    "ordinal": ("range", "unit", "default"),
    "circular": ("period", "range", "unit", "default"),
    "continuous": ("range", "unit", "default"),
}


@dataclass(frozen=True, kw_only=True)
class Override:
    """What ``--attribute`` gives for a column; fields that are None or empty follow from its cells."""

    name: str
    kind: Kind
    size: int | None = None
    labels: tuple[str, ...] = ()
    period: int | None = None
    range: tuple[float, float] | None = None
    unit: str = ""
    default: str = ""
    """Written as in a cell."""


def parse_attribute(text: str) -> Override:
    """An override in the form of ``GRAMMAR``; raises DataError that names the mistake."""

    def fail(what: str) -> DataError:
        return DataError(f"attribute {text!r}: {what}; the form is {GRAMMAR}")

    name, _, rest = text.partition("=")
    first, *parts = rest.split(":")
    kind = next((kind for kind in KINDS if kind == first), None)
    if not name or kind is None:
        raise fail(f"needs a name and one of the kinds {', '.join(KINDS)}")
    size = parts.pop(0) if parts and "=" not in parts[0] else None
    options: dict[str, str] = {}
    for part in parts:
        option, _, value = part.partition("=")
        if option not in OPTIONS[kind]:
            raise fail(f"a {kind} attribute takes {', '.join(OPTIONS[kind])}, not {option!r}")
        if option in options or not value:
            raise fail(f"{option} needs one value")
        options[option] = value
    low, _, high = options.get("range", "").partition("..")
    try:
        override = Override(
            name=name,
            kind=kind,
            size=None if size is None else int(size),
            labels=tuple(label.strip() for label in options["labels"].split("|")) if "labels" in options else (),
            period=int(options["period"]) if "period" in options else None,
            range=(float(low), float(high)) if "range" in options else None,
            unit=options.get("unit", ""),
            default=options.get("default", ""),
        )
    except ValueError:
        raise fail("size and period must be whole numbers, range two numbers LO..HI") from None
    if kind == "circular" and override.size is None:
        raise fail("a circular attribute needs its SIZE")
    if "" in override.labels:
        raise fail("a label can't be empty, as an empty cell is unlabelled")
    return override


def check_columns(table: str, columns: Mapping[str, Column], attributes: Attributes) -> None:
    """Raise DataError unless every attribute has a column with at least one label."""
    for attribute in attributes:
        if attribute.name not in columns:
            raise DataError(f"{table}: has no column {attribute.name!r}, only {', '.join(columns)}")
        if not columns[attribute.name].filled:
            raise _empty_column(table, attribute.name)


def _empty_column(table: str, name: str) -> DataError:
    return DataError(f"{table}: column {name!r} is empty; label at least one image, or remove the column")


def infer_attributes(table: str, columns: Mapping[str, Column], overrides: Sequence[Override]) -> Attributes:
    """The attributes of all columns, from their cells and what the overrides say; raises DataError."""
    chosen: dict[str, Override] = {}
    for override in overrides:
        if override.name not in columns:
            raise DataError(f"{table}: has no column {override.name!r} to override, only {', '.join(columns)}")
        if override.name in chosen:
            raise DataError(f"attribute {override.name!r} is overridden twice")
        chosen[override.name] = override
    attributes = []
    for name, column in columns.items():
        if not column.filled:
            raise _empty_column(table, name)
        override = chosen.get(name) or Override(name=name, kind=_kind(name, column))
        try:
            attributes.append(_attribute(override, column, table))
        except DataError:
            raise
        except ValueError as error:
            raise DataError("; ".join([f"{table}: {error}", *column.notes])) from error
    return Attributes(attributes)


def _kind(name: str, column: Column) -> Kind:
    """Text makes a column nominal, whole numbers ordinal, other numbers continuous."""
    if not column.numbers:
        return "nominal"
    return "ordinal" if all(number(name, cell).is_integer() for cell in column.filled) else "continuous"


def _attribute(override: Override, column: Column, where: str) -> Attribute:
    """The attribute of a column; what the override leaves open is taken from its cells."""
    cells = column.filled
    name, kind, size, extent, labels = override.name, override.kind, override.size, override.range, override.labels
    if kind == "nominal":
        labels = labels or tuple(sorted({cell.text for cell in cells}))
        size = len(labels) if size is None else size
    elif kind == "continuous":
        extent = extent or _extent(name, cells, where)
    elif size is None:
        extent = extent or _extent(name, cells, where)
        size = _whole_numbers(name, extent, where)
    attribute = Attribute(
        name=name,
        kind=kind,
        size=1 if size is None else size,
        labels=labels,
        period=size if kind == "circular" and override.period is None else override.period,
        unit=override.unit,
        range=extent,
        default=extent[0] if kind == "continuous" and extent else 0,
    )
    if override.default:
        default = position_of(attribute, Cell(override.default, f"the default of attribute {name!r}"))
    else:
        default = _typical(attribute, positions_of(attribute, column))
    return replace(attribute, default=labels[int(default)] if kind == "nominal" else default)


def _extent(name: str, cells: Sequence[Cell], where: str) -> tuple[float, float]:
    """The least and the greatest number of a column."""
    values = [number(name, cell) for cell in cells]
    if min(values) == max(values):
        raise DataError(
            f"{where}: column {name!r} has one value only, {values[0]:g}; "
            f"remove it, or give its range with --attribute {name}=continuous:range=LO..HI"
        )
    return min(values), max(values)


def _whole_numbers(name: str, extent: tuple[float, float], where: str) -> int:
    """The number of whole numbers in an extent, each of which is a class."""
    low, high = extent
    if not (low.is_integer() and high.is_integer()):
        raise DataError(
            f"{where}: column {name!r} goes from {low:g} to {high:g}, not between whole numbers; "
            f"give its classes with --attribute {name}=ordinal:SIZE:range={low:g}..{high:g}"
        )
    count = high - low + 1
    if count > MAX_INFERRED_CLASSES:
        raise DataError(
            f"{where}: column {name!r} would have {count:g} classes, {low:g} to {high:g}, more than "
            f"{MAX_INFERRED_CLASSES}; say what it is with --attribute {name}=continuous or "
            f"--attribute {name}=ordinal:SIZE:range={low:g}..{high:g}"
        )
    return int(count)


def positions_of(attribute: Attribute, column: Column) -> NDArray[np.float64]:
    """The positions [N] of a column's cells on the attribute's axis, NaN where they are empty; raises DataError."""
    return np.array([position_of(attribute, cell) for cell in column.cells.distinct])[column.cells.codes]


def _typical(attribute: Attribute, positions: NDArray[np.float64]) -> float:
    """The most frequent class, the first of several; the median of a continuous attribute. ``positions`` [N]."""
    positions = positions[np.isfinite(positions)]
    if attribute.kind == "continuous":
        return float(np.median(positions))
    classes = np.round(positions).astype(np.intp) % attribute.classes
    return float(np.bincount(classes).argmax())

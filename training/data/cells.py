"""The cells of a table's columns, and the numbers and positions that they mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from attributes import Attribute
from training.data.dataset import DataError


class Cell(NamedTuple):
    """A cell of an attribute's column."""

    text: str
    where: str
    """File and row, for error messages."""

    @property
    def row(self) -> str:
        """The row alone."""
        return self.where.rpartition(", ")[2]


class Cells(NamedTuple):
    """The cells of a column, each different text once."""

    distinct: list[Cell]
    """The first cell with each text, in the order of the rows."""
    codes: NDArray[np.intp]
    """[N]: which of them a row has."""

    @classmethod
    def of(cls, texts: Iterable[str], where: Callable[[int], str]) -> Cells:
        """The cells with these ``texts``, one for each row; ``where`` names the file and row of a row's number."""
        numbers: dict[str, int] = {}
        distinct: list[Cell] = []
        codes = []
        for row, text in enumerate(texts):
            number = numbers.setdefault(text, len(distinct))
            if number == len(distinct):
                distinct.append(Cell(text, where(row)))
            codes.append(number)
        return cls(distinct, np.array(codes, np.intp))

    @classmethod
    def coded(cls, texts: Sequence[str], where: Mapping[int, str], codes: NDArray[np.intp]) -> Cells:
        """Cells whose different texts are known: the ``codes`` [N] of rows, and where each text comes first."""
        return cls([Cell(text, where[number]) for number, text in enumerate(texts)], codes)

    @classmethod
    def same(cls, text: str, where: str, rows: int) -> Cells:
        """``rows`` cells with the same text."""
        return cls([Cell(text, where)], np.zeros(rows, np.intp))

    @classmethod
    def joined(cls, parts: Sequence[Cells]) -> Cells:
        """The cells of several tables, one after the other."""
        firsts: dict[str, Cell] = {}
        for part in parts:
            for cell in part.distinct:
                firsts.setdefault(cell.text, cell)
        numbers = {text: number for number, text in enumerate(firsts)}
        codes = [np.array([numbers[cell.text] for cell in part.distinct], np.intp)[part.codes] for part in parts]
        return cls(list(firsts.values()), np.concatenate(codes))

    @classmethod
    def columns(cls, rows: Sequence[Mapping[str, str]], where: Callable[[int], str]) -> dict[str, Cells]:
        """A column for each name in any of the rows, empty where a row hasn't it; ``where`` as in ``of``."""
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: cls.of((row.get(name, "") for row in rows), where) for name in names}

    @classmethod
    def joined_columns(cls, tables: Sequence[tuple[Mapping[str, Cells], str, int]]) -> dict[str, Cells]:
        """The columns of several tables, one after the other; each comes with where it lies and its number of rows.

        Where a table lacks a column, its cells are empty.
        """
        names = dict.fromkeys(name for columns, _, _ in tables for name in columns)
        return {
            name: cls.joined([columns.get(name) or cls.same("", where, rows) for columns, where, rows in tables])
            for name in names
        }

    def take(self, rows: NDArray[np.integer[Any]]) -> Cells:
        """The cells of some rows; those that no row has any more are left out."""
        kept, codes = np.unique(self.codes[rows], return_inverse=True)
        return Cells([self.distinct[code] for code in kept], codes)

    @property
    def counts(self) -> NDArray[np.intp]:
        """How many rows have each of the distinct cells [K]."""
        return np.bincount(self.codes, minlength=len(self.distinct))


def is_number(text: str) -> bool:
    """Whether a cell is written as a number."""
    try:
        float(text)
    except ValueError:
        return False
    # Python reads 1_2 as the number 12; people mean a label.
    return "_" not in text


def number(name: str, cell: Cell) -> float:
    """The number in a cell of column ``name``; raises DataError where there is none, or it is not finite."""
    if not is_number(cell.text) or not math.isfinite(float(cell.text)):
        raise DataError(f"{cell.where}: {name} is {cell.text!r}, not a finite number (empty means unlabelled)")
    return float(cell.text)


def position_of(attribute: Attribute, cell: Cell) -> float:
    """The position of a cell on the attribute's axis; NaN if the cell is empty.

    The cell is a label or a value in units. Raises DataError for another label, or a value that is out of range.
    """
    name, text = attribute.name, cell.text
    if not text:
        return math.nan
    if attribute.kind == "nominal":
        if text not in attribute.labels:
            raise DataError(f"{cell.where}: {name} is {text!r}, not one of {', '.join(attribute.labels)}")
        return float(attribute.labels.index(text))
    value = number(name, cell)
    low, high = attribute.bounds
    with np.errstate(over="ignore"):
        position = float(attribute.from_unit(value))
    if not (math.isfinite(position) if attribute.kind == "circular" else low <= value <= high):
        raise DataError(f"{cell.where}: {name} is {text}, outside {low:g} to {high:g}")
    if attribute.kind == "continuous":
        return value
    # With rounding errors, 0.7 of 0.5 .. 1.0 is 1.9999999999999996; it means class 2.
    position = round(position, 9)
    return position % attribute.classes if attribute.kind == "circular" else position

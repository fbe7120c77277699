"""The cells of a column as numbers or as text, and in words what was read.

In a column of numbers, ``NA``, ``null`` and the like are empty, as pandas has it. In a column of text they are labels:
a hat may well be ``None``. Decimal commas are read where cells are not separated by commas, unless all of them may
separate thousands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attributes import Attribute, Attributes, Kind
from training.data.cells import Cell, Cells, is_number

# What pandas reads as missing.
MISSING = frozenset([
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "None", "n/a", "nan", "null",
])  # fmt: skip
# How many labels or cells a line shows.
SHOWN = 6

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")


class Column(NamedTuple):
    """A column of an attribute."""

    cells: Cells
    """Empty where nothing is known; in a column of numbers with a point for a decimal comma."""
    numbers: bool
    """Whether all cells with a text are numbers."""
    notes: Sequence[str] = ()
    """What of its cells people should know, in words."""

    @property
    def filled(self) -> list[Cell]:
        """The distinct cells with a text."""
        return [cell for cell in self.cells.distinct if cell.text]


def read_column(cells: Cells, kind: Kind | None, *, decimal_commas: bool) -> Column:
    """A column of a ``kind``, if that is known already: nominal takes each text as it is, the others numbers only."""
    if kind == "nominal":
        return Column(cells, numbers=False)
    missing = [cell for cell in cells.distinct if cell.text in MISSING]
    filled = [cell for cell in cells.distinct if cell.text and cell.text not in MISSING]
    commas = [cell for cell in filled if decimal_commas and _DECIMAL_COMMA.fullmatch(cell.text)]
    if all(_THOUSANDS.fullmatch(cell.text) for cell in commas) or any("." in cell.text for cell in filled):
        commas = []
    texts = {cell: cell.text.replace(",", ".") for cell in commas} | dict.fromkeys(missing, "")
    odd = [cell for cell in filled if not is_number(texts.get(cell, cell.text))]
    if kind is None and (odd or not filled):
        counts = dict(zip(cells.distinct, cells.counts.tolist(), strict=True))
        in_text = sum(counts[cell] for cell in odd)
        in_numbers = sum(counts[cell] for cell in filled) - in_text
        notes = []
        if in_text < in_numbers:
            notes.append(f"text, as {_listed(odd)} is no number, but {in_numbers:,} other cells are")
        if missing:
            notes.append(f"{_listed(missing)} is a label; leave cells empty where nothing is known")
        return Column(cells, numbers=False, notes=notes)
    notes = [f"{_listed(missing)} counts as empty"] if missing else []
    if commas:
        notes.append(f"decimal commas, as in {_listed(commas[:1])}")
    distinct = [cell._replace(text=texts.get(cell, cell.text)) for cell in cells.distinct]
    return Column(cells._replace(distinct=distinct), numbers=True, notes=notes)


def _listed(cells: Sequence[Cell]) -> str:
    """Different texts, each with the row that has it first, and how many more there are."""
    named = ", ".join(f"{cell.text!r} ({cell.row})" for cell in cells[:SHOWN])
    return f"{named} and {len(cells) - SHOWN} more" if len(cells) > SHOWN else named


def described(attributes: Attributes, columns: Mapping[str, Column]) -> list[str]:
    """A line for each attribute: how its column was read."""
    lines = []
    for attribute in attributes:
        column = columns[attribute.name]
        empty = sum(
            count for cell, count in zip(column.cells.distinct, column.cells.counts, strict=True) if not cell.text
        )
        parts = [_vocabulary(attribute), *([f"{empty:,} cells empty"] if empty else []), *column.notes]
        lines.append(f"  {attribute.name}: {'; '.join(parts)}")
    return lines


def _vocabulary(attribute: Attribute) -> str:
    """Kind and values of an attribute."""
    if attribute.kind == "nominal":
        more = f" and {attribute.size - SHOWN} more" if attribute.size > SHOWN else ""
        return f"nominal, {', '.join(attribute.labels[:SHOWN])}{more}"
    low, high = attribute.bounds
    classes = "" if attribute.kind == "continuous" else f"{attribute.size} classes, "
    period = f" of a period of {attribute.period}" if attribute.kind == "circular" else ""
    return f"{attribute.kind}, {classes}{low:g} to {high:g}{period}"

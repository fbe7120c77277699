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
from training.data.labels_csv import Cell, is_number

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

    cells: Sequence[Cell]
    """Empty where nothing is known; in a column of numbers with a point for a decimal comma."""
    numbers: bool
    """Whether all cells with a text are numbers."""
    notes: Sequence[str] = ()
    """What of its cells people should know, in words."""


def read_column(cells: Sequence[Cell], kind: Kind | None, *, decimal_commas: bool) -> Column:
    """A column of a ``kind``, if that is known already: nominal takes each text as it is, the others numbers only."""
    if kind == "nominal":
        return Column(cells, numbers=False)
    missing = [cell for cell in cells if cell.text in MISSING]
    filled = [cell for cell in cells if cell.text and cell.text not in MISSING]
    commas = [cell for cell in filled if decimal_commas and _DECIMAL_COMMA.fullmatch(cell.text)]
    if all(_THOUSANDS.fullmatch(cell.text) for cell in commas) or any("." in cell.text for cell in filled):
        commas = []
    texts = {cell: cell.text.replace(",", ".") for cell in commas} | dict.fromkeys(missing, "")
    odd = [cell for cell in filled if not is_number(texts.get(cell, cell.text))]
    if kind is None and (odd or not filled):
        notes = []
        if len(odd) < len(filled) - len(odd):
            notes.append(f"text, as {_listed(odd)} is no number, but {len(filled) - len(odd):,} other cells are")
        if missing:
            notes.append(f"{_listed(missing)} is a label; leave cells empty where nothing is known")
        return Column(cells, numbers=False, notes=notes)
    notes = [f"{_listed(missing)} counts as empty"] if missing else []
    if commas:
        notes.append(f"decimal commas, as in {_listed(commas[:1])}")
    return Column([cell._replace(text=texts.get(cell, cell.text)) for cell in cells], numbers=True, notes=notes)


def _listed(cells: Sequence[Cell]) -> str:
    """Different texts, each with the row that has it first, and how many more there are."""
    first = {cell.text: cell.row for cell in reversed(cells)}
    texts = list(dict.fromkeys(cell.text for cell in cells))
    named = ", ".join(f"{text!r} ({first[text]})" for text in texts[:SHOWN])
    return f"{named} and {len(texts) - SHOWN} more" if len(texts) > SHOWN else named


def described(attributes: Attributes, columns: Mapping[str, Column]) -> list[str]:
    """A line for each attribute: how its column was read."""
    lines = []
    for attribute in attributes:
        column = columns[attribute.name]
        empty = sum(not cell.text for cell in column.cells)
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

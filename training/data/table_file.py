"""Tables in files: CSV as people's programs write it, and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from training.data.cells import Cells
from training.data.csv_text import SEPARATORS, decoded, separator
from training.data.dataset import DataError
from training.data.faults import Faults

SUFFIXES = (".csv", ".tsv", ".jsonl")


@dataclass(frozen=True)
class Table:
    """A table of text: a name for each column, and as many cells in each row."""

    file: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]
    """The number of the line that each row begins in, as an editor shows it."""
    notes: Sequence[str] = ()
    """How the file was read, in words, where it is not UTF-8 with commas."""
    decimal_commas: bool = False
    """Whether a comma may be a decimal comma, as it does not separate cells."""
    lists: Sequence[str] = field(default=())
    """The columns that were left out, as their cells are lists or objects."""
    header_line: int = 1

    def where(self, row: int) -> str:
        """File and line of a row, for messages."""
        return f"{self.file}, row {self.lines[row]}"

    def texts(self, column: str) -> list[str]:
        """The cells of a column."""
        index = self.header.index(column)
        return [cells[index] for cells in self.rows]

    def columns(self, names: Sequence[str], rows: Sequence[int]) -> dict[str, Cells]:
        """The cells of some columns in some rows."""
        return {
            name: Cells.of((self.rows[row][index] for row in rows), lambda i: self.where(rows[i]))
            for name, index in ((name, self.header.index(name)) for name in names)
        }


def read_table(file: Path, data: bytes, faults: Faults) -> Table:
    """The table that a file holds; raises DataError for a wrong one."""
    table = _json_lines(file, data, faults) if file.suffix.lower() == ".jsonl" else _csv(file, data, faults)
    for name, count in Counter(table.header).items():
        if count > 1:
            raise DataError(f"{file}, row {table.header_line}: there are {count} columns {name!r}")
    if not table.rows:
        raise DataError(f"{file}: has a header, but no rows")
    return table


def _csv(file: Path, data: bytes, faults: Faults) -> Table:
    text, note = decoded(file, data)
    between = separator(text)
    kind = SEPARATORS[between]
    (header_line, header), *records = _records(file, text, between)
    rows, lines = [], []
    for line, cells in records:
        if len(cells) != len(header):
            hint = f"; a {kind} within a cell needs quotes around the cell" if len(cells) > len(header) else ""
            faults.report(
                f"{file}, row {line}: has {len(cells)} cells with a {kind} between them, "
                f"the header has {len(header)}{hint}"
            )
            continue
        rows.append(cells)
        lines.append(line)
    notes = [note] if note else []
    notes += [f"cells with a {kind} between them"] if between != "," else []
    return Table(file, header, rows, lines, notes, decimal_commas=between != ",", header_line=header_line)


def _records(file: Path, text: str, between: str) -> list[tuple[int, list[str]]]:
    """Line number and stripped cells of each record that isn't blank, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True)
    records = []
    line = 1
    try:
        for cells in reader:
            if cells:
                records.append((line, [cell.strip() for cell in cells]))
            line = reader.line_num + 1  # a quoted cell may go over several lines
    except csv.Error as error:
        raise DataError(f"{file}, row {line}: is not CSV ({error})") from error
    if not records:
        raise DataError(f"{file}: is empty")
    return records


def _json_lines(file: Path, data: bytes, faults: Faults) -> Table:
    text, note = decoded(file, data)
    records: list[tuple[int, Mapping[str, object]]] = []
    for line, content in enumerate(text.splitlines(), 1):
        if content.strip():
            try:
                record = json.loads(content)
            except ValueError as error:
                faults.report(f"{file}, row {line}: is no JSON ({error}); accepts an object on each line")
                continue
            if not isinstance(record, dict):
                faults.report(f"{file}, row {line}: is {type(record).__name__}; accepts an object on each line")
                continue
            records.append((line, record))
    if not records:
        raise DataError(f"{file}: is empty")
    names = dict.fromkeys(name for _, record in records for name in record)
    lists = {name for _, record in records for name, value in record.items() if isinstance(value, list | dict)}
    header = [name for name in names if name not in lists]
    rows = [[json_text(record.get(name)) for name in header] for _, record in records]
    lines = [line for line, _ in records]
    return Table(file, header, rows, lines, [note] if note else [], lists=sorted(lists))


def json_text(value: object) -> str:
    """A JSON value as a cell: nothing for null, words for true and false."""
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool) else str(value).strip()
